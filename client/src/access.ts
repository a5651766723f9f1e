/** How a person at a terminal reaches the API: the kubeconfig that is named, else the environment's, else that of the data folder here. */
import { terminal } from '@plumb/schemas/meta/error.ts';
import { Client, type ClientOptions } from './client.ts';
import { type Connection, guardCredential } from './connection.ts';
import {
  badKubeconfig,
  type Context,
  type Contexts,
  contextFrom,
  contextsIn,
  type KubeconfigFile,
  readKubeconfigs,
} from './kubeconfig.ts';
import { plainYaml } from './plain-yaml.ts';

export interface Access extends Context {
  /** Namespace of objects that name none. */
  namespace: string;
}

/** The data folder of a server that was started here. */
const LOCAL = '.plumb/kubeconfig';
const HELP = 'Take the one that the server wrote into its data folder, or name another with --kubeconfig or KUBECONFIG';

/**
 * `named`: a file. `context`: another one than the file's current. Throws PlumbError `NoKubeconfig` or `BadKubeconfig` (terminal)
 * with the files that were tried.
 */
export async function findAccess(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  context?: string,
): Promise<Access> {
  const { files, parse } = await filesFor(named, env);
  const found = contextFrom(files, HELP, context, parse);
  const allowed = env.PLUMB_INSECURE_HTTP === 'true';
  const access: Access = {
    ...found,
    namespace: found.namespace ?? 'default',
    ...(allowed ? { plainHttp: true } : {}),
  };
  return guardCredential(access, (endpoint) =>
    badKubeconfig(
      found.cluster.path,
      `its server ${endpoint} is plain HTTP, where anyone on the way could read the token: use https, or set PLUMB_INSECURE_HTTP=true where no one is`,
      HELP,
    ),
  );
}

/** The contexts that {@link findAccess} takes by name, and which it takes without one. */
export async function contextsFor(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Contexts> {
  const { files, parse } = await filesFor(named, env);
  return contextsIn(files, HELP, parse);
}

async function filesFor(named: string | undefined, env: Readonly<Record<string, string | undefined>>) {
  const listed = named ? [named] : env.KUBECONFIG?.split(':').filter(Boolean);
  const files = listed?.length ? readKubeconfigs(listed, HELP) : await local();
  if (files.length === 0) {
    throw terminal(
      'NoKubeconfig',
      `there is no kubeconfig at ${(listed?.length ? listed : [LOCAL]).join(', ')}: start a server here (plumb server), or name one with --kubeconfig or KUBECONFIG`,
    );
  }
  const isPlain = files.every(({ text }) => plainYaml(text) !== undefined);
  return { files, parse: isPlain ? plainYaml : (await import('./kubeconfig-yaml.ts')).parseQuietly };
}

/** A client for a person at a terminal. `env`: of that person. */
export function clientFor(
  access: Connection,
  ambient: ClientOptions['ambient'],
  env: Readonly<Record<string, string | undefined>> = {},
): Client {
  return new Client({
    connection: access,
    ambient,
    surroundings: { env, cwd: process.cwd() },
    userAgent: 'plumb',
    untrusted: (server, why) =>
      `the server at ${server} shows a certificate that the kubeconfig does not vouch for (${why}): use the kubeconfig in its data folder`,
  });
}

/** Nobody named the one that lies here: somebody else may have put it there, to be used by whoever comes along. */
async function local(): Promise<KubeconfigFile[]> {
  const { readTrusted } = await import('@plumb/schemas/files/private-file.ts');
  const text = await readTrusted(LOCAL);
  return text === undefined ? [] : [{ path: LOCAL, text, distrust: undefined }];
}
