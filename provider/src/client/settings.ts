/** Where the server is and who we are there: from the provider block, else from the environment. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { shownUrl, terminal } from '@plumb/schemas';
import type { Connection } from './connection.ts';
import { clusterOf } from './kubeconfig.ts';

/** The attributes of the provider block. */
export interface ProviderAttributes {
  kubeconfig?: string;
  endpoint?: string;
  token?: string;
  caCertificate?: string;
  insecureHttp?: boolean;
}

/** What a program takes from the process that started it. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

/**
 * Finds the connection. The block wins over `PLUMB_*`, and these win over `KUBECONFIG`. The credentials of a kubeconfig
 * go to the server of that kubeconfig only, and none goes over plain HTTP unless that is asked for. Throws a terminal
 * `NotConfigured` or `BadKubeconfig`.
 */
export function connectionFrom(attributes: ProviderAttributes, { env, cwd }: Surroundings): Connection {
  const from = (path: string) => absolute(path, cwd, env);
  const token = attributes.token ?? set(env.PLUMB_TOKEN);
  const caText = attributes.caCertificate ?? set(env.PLUMB_CA_CERTIFICATE);
  const own: Partial<Connection> = {
    ...(token ? { token } : {}),
    ...(caText ? { ca: pem(caText, from) } : {}),
  };
  const endpoint = attributes.endpoint ?? (attributes.kubeconfig ? undefined : set(env.PLUMB_ENDPOINT));
  const plain = attributes.insecureHttp ?? set(env.PLUMB_INSECURE_HTTP) === 'true';
  if (endpoint) return guarded({ ...own, endpoint: checked(endpoint) }, plain);
  const files = attributes.kubeconfig ? [attributes.kubeconfig] : (set(env.KUBECONFIG)?.split(':') ?? []);
  if (files.length === 0) {
    throw terminal(
      'NotConfigured',
      'No Plumb server is known. Set kubeconfig or endpoint in the provider block, or KUBECONFIG or PLUMB_ENDPOINT in the environment.',
    );
  }
  const cluster = clusterOf(files.filter((file) => file !== '').map(from));
  return guarded({ ...cluster, ...own, endpoint: checked(cluster.endpoint) }, plain);
}

/** A token that goes over plain HTTP can be read, and used from then on, by anyone on the way. */
function guarded(connection: Connection, plain: boolean): Connection {
  const { endpoint, token, exec } = connection;
  if (plain || !endpoint.startsWith('http:') || (!token && !exec)) return connection;
  throw terminal(
    'NotConfigured',
    `${endpoint} is plain HTTP: anyone on the way could read the token. Use https, or set insecure_http = true (or PLUMB_INSECURE_HTTP=true) where no one is.`,
  );
}

function set(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function absolute(path: string, cwd: string, env: Surroundings['env']): string {
  if (path === '~' || path.startsWith('~/')) return join(env.HOME ?? homedir(), path.slice(1));
  return isAbsolute(path) ? path : join(cwd, path);
}

/** PEM as given, or the content of the file that is named. */
function pem(text: string, from: (path: string) => string): string {
  if (text.includes('-----BEGIN')) return text;
  try {
    return readFileSync(from(text), 'utf8');
  } catch (error) {
    throw terminal(
      'NotConfigured',
      `ca_certificate is neither a PEM certificate nor a file that can be read: ${(error as Error).message}`,
    );
  }
}

function checked(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw terminal(
      'NotConfigured',
      `endpoint must be a URL as in https://plumb.example:7443, but is ${shownUrl(endpoint)}`,
    );
  }
  if (url.username || url.password) {
    throw terminal('NotConfigured', `endpoint ${shownUrl(endpoint)} holds a name or password: give a token instead`);
  }
  let end = endpoint.length;
  while (endpoint[end - 1] === '/') end--;
  return endpoint.slice(0, end);
}
