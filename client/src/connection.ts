/** Where the servers of a cloud are and who we are there. */
import { type PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { shownUrl } from '@plumb/schemas/meta/shown-url.ts';
import type { ExecPlugin } from './exec-plugin.ts';

export interface Connection {
  /** `https://host:port` of each server, without a path at its end; at least one. They are tried in turn. */
  endpoints: readonly string[];
  token?: string;
  /** PEM; the public authorities that Node brings, if absent. */
  ca?: string;
  /** PEM of a client certificate and its key. */
  certificate?: { cert: string; key: string };
  /** The name that the server's certificate must bear, where it is not the host of the endpoint. */
  serverName?: string;
  /** The certificate is not verified: only as a kubeconfig says so. */
  insecure?: true;
  /** A program that gives token or certificate. */
  exec?: ExecPlugin;
  /** A proxy for these servers, whatever the environment says. */
  proxy?: string;
  /** The credential may go over plain HTTP: only as a person says so. */
  plainHttp?: true;
}

/** What a program takes from the run that it works for. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Said beside why a program for the credential gave none, where `env` may hold less than a person expects. */
  credentialHint?: string;
}

/**
 * The endpoints of a list as people write it, separated by commas. Throws terminal `NotConfigured`; `what` names the list.
 */
export function endpointsIn(text: string, what: string): string[] {
  return text.split(',').map((one) => endpointIn(one.trim(), what));
}

/** One of them. Throws terminal `NotConfigured`. */
export function endpointIn(endpoint: string, what: string): string {
  const url = URL.parse(endpoint);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw terminal(
      'NotConfigured',
      `${what} must be a URL as in https://plumb.example:7443, but is ${shownUrl(endpoint)}`,
    );
  }
  if (url.username || url.password) {
    throw terminal('NotConfigured', `${what} ${shownUrl(endpoint)} holds a name or password: give a token instead`);
  }
  let end = endpoint.length;
  while (endpoint[end - 1] === '/') end--;
  return endpoint.slice(0, end);
}

/**
 * A credential that goes over plain HTTP can be read, and used from then on, by anyone on the way. Throws what `refusal` makes
 * of the endpoint unless a person has said that this may be.
 */
export function guardCredential<C extends Connection>(connection: C, refusal: (endpoint: string) => PlumbError): C {
  const { endpoints, token, exec, plainHttp } = connection;
  const plain = endpoints.find((endpoint) => !endpoint.startsWith('https:'));
  if (plain !== undefined && !plainHttp && (token !== undefined || exec !== undefined)) throw refusal(shownUrl(plain));
  return connection;
}
