/** Where the server is and who we are there: from the provider block, else from the environment. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type Connection, endpointsIn, guardCredential, type Surroundings } from '@plumb/client/connection.ts';
import { badKubeconfig, readKubeconfigs } from '@plumb/client/kubeconfig.ts';
import { contextIn } from '@plumb/client/kubeconfig-yaml.ts';
import { terminal } from '@plumb/schemas';

/** The attributes of the provider block. */
export interface ProviderAttributes {
  kubeconfig?: string;
  /** Of the kubeconfig; its current one, if absent. */
  context?: string;
  /** Of one server, or of several, separated by commas. */
  endpoint?: string;
  token?: string;
  caCertificate?: string;
  insecureHttp?: boolean;
  /** Name of the configuration among the managers of fields. */
  stack?: string;
  /** Whether fields that others own are taken; they are, if absent. */
  forceConflicts?: boolean;
}

const HELP =
  "Take the one that the server wrote into its data folder (plumb server says where), and name it in the provider's kubeconfig or in KUBECONFIG.";

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
  if (attributes.insecureHttp ?? set(env.PLUMB_INSECURE_HTTP) === 'true') own.plainHttp = true;
  if (endpoint) return guarded({ ...own, endpoints: endpointsIn(endpoint, 'endpoint') });
  const files = attributes.kubeconfig ? [attributes.kubeconfig] : (set(env.KUBECONFIG)?.split(':') ?? []);
  if (files.length === 0) {
    throw terminal(
      'NotConfigured',
      'No Plumb server is known. Set kubeconfig or endpoint in the provider block, or KUBECONFIG or PLUMB_ENDPOINT in the environment.',
    );
  }
  const paths = files.filter((file) => file !== '').map(from);
  const found = readKubeconfigs(paths, HELP);
  if (found.length === 0) throw badKubeconfig(paths.join(', '), 'there is no such file', HELP);
  const { namespace, user, cluster, ...connection } = contextIn(found, HELP, attributes.context);
  return guarded({ ...connection, ...own });
}

function guarded(connection: Connection): Connection {
  return guardCredential(connection, (endpoint) =>
    terminal(
      'NotConfigured',
      `${endpoint} is plain HTTP: anyone on the way could read the token. Use https, or set insecure_http = true (or PLUMB_INSECURE_HTTP=true) where no one is.`,
    ),
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
