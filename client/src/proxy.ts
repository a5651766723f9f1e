/** Through which proxy a server is reached: what the kubeconfig says, else the environment of the run, as kubectl does it. */
import { isIP } from 'node:net';

/** As node's agents take it. */
export type ProxyEnv = Record<string, string>;

/**
 * What a run may say of proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, also in lower case). A server on this machine is asked
 * directly. Empty: no proxy, whatever the environment of this process says.
 *
 * `proxy`: what the kubeconfig says.
 */
export function proxyFor(
  endpoint: string,
  proxy: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ProxyEnv {
  if (proxy !== undefined) return { https_proxy: proxy, http_proxy: proxy };
  if (isLocal(new URL(endpoint).hostname)) return {};
  const found: ProxyEnv = {};
  for (const name of ['https_proxy', 'http_proxy', 'no_proxy']) {
    // Small letters win, as in curl.
    const value = env[name] || env[name.toUpperCase()];
    if (value) found[name] = value;
  }
  return found;
}

function isLocal(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
