/** How to reach the API: the kubeconfig that is named, the one of the environment, or that of the data folder here. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { terminal } from '@plumb/schemas';
import { readTrusted } from '@plumb/schemas/files/private-file.ts';
import { parse } from 'yaml';

export interface Access {
  /** URL of the API. */
  server: string;
  /** PEM text; undefined: the public authorities that Node brings. */
  authority: string | undefined;
  token: string | undefined;
  /** Namespace of objects that name none. */
  namespace: string;
  /** The file, and the names in it of who asks and of what is asked. */
  path: string;
  user: string | undefined;
  cluster: string | undefined;
}

/** The data folder of a server that was started here. */
const LOCAL = '.plumb/kubeconfig';

interface Kubeconfig {
  'current-context'?: string;
  clusters?: { name: string; cluster: Record<string, string> }[];
  users?: { name: string; user: Record<string, string> }[];
  contexts?: { name: string; context: { cluster?: string; user?: string; namespace?: string } }[];
}

/** Throws PlumbError `NoKubeconfig` or `BadKubeconfig` (terminal) with the files that were tried. */
export async function findAccess(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Access> {
  const tried = named ? [named] : env.KUBECONFIG ? env.KUBECONFIG.split(':').filter(Boolean) : [LOCAL];
  for (const path of tried) {
    // Nobody named the one that lies here: somebody else may have put it there, to be used by whoever comes along.
    const text = await (path === LOCAL ? readTrusted(path) : readIfThere(path));
    if (text !== undefined) return readAccess(text, path);
  }
  throw terminal(
    'NoKubeconfig',
    `there is no kubeconfig at ${tried.join(', ')}: start a server here (plumb server), or name one with --kubeconfig or KUBECONFIG`,
  );
}

async function readAccess(text: string, path: string): Promise<Access> {
  let file: Kubeconfig;
  try {
    file = (parse(text) ?? {}) as Kubeconfig;
  } catch {
    throw bad(path, 'it is not YAML');
  }
  const current = file['current-context'];
  const context = file.contexts?.find(({ name }) => name === current)?.context;
  if (!context) throw bad(path, current ? `it has no context ${current}` : 'it names no current-context');
  const cluster = file.clusters?.find(({ name }) => name === context.cluster)?.cluster;
  const user = file.users?.find(({ name }) => name === context.user)?.user ?? {};
  if (!cluster?.server) throw bad(path, `its cluster ${context.cluster ?? ''} names no server`);
  const beside = (other: string) =>
    readFile(resolve(dirname(path), other), 'utf8').catch((error: Error) => {
      throw bad(path, `it names the file ${other}, which cannot be read (${error.message})`);
    });
  const data = cluster['certificate-authority-data'];
  const authorityFile = cluster['certificate-authority'];
  return {
    server: cluster.server,
    authority: data
      ? Buffer.from(data, 'base64').toString('utf8')
      : authorityFile
        ? await beside(authorityFile)
        : undefined,
    token: user.token ?? (user.tokenFile ? (await beside(user.tokenFile)).trim() : undefined),
    namespace: context.namespace ?? 'default',
    path,
    user: context.user,
    cluster: context.cluster,
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw bad(path, (error as Error).message);
  }
}

function bad(path: string, why: string) {
  return terminal(
    'BadKubeconfig',
    `the kubeconfig ${path} cannot be used: ${why}. Take the one that the server wrote into its data folder, or name another with --kubeconfig or KUBECONFIG`,
  );
}
