/** How to reach the API: the kubeconfig that is named, the one of the environment, or that of the data folder here. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ExecPlugin, execPlugin } from '@plumb/client/exec-plugin.ts';
import { shownUrl, terminal } from '@plumb/schemas';
import { readTrusted } from '@plumb/schemas/files/private-file.ts';
import { readWithOwner } from '@plumb/schemas/files/trusted-text.ts';
import { parse } from 'yaml';

export interface Access {
  /** URL of the API. */
  server: string;
  /** PEM text; undefined: the public authorities that Node brings. */
  authority: string | undefined;
  token: string | undefined;
  /** A program that gives the token. */
  exec?: ExecPlugin | undefined;
  /** The certificate is not verified: only as a kubeconfig says so. */
  insecure?: boolean;
  /** Namespace of objects that name none. */
  namespace: string;
  /** The file, and the names in it of who asks and of what is asked. */
  path: string;
  user: string | undefined;
  cluster: string | undefined;
}

/** The data folder of a server that was started here. */
const LOCAL = '.plumb/kubeconfig';

type Section = Record<string, string> & { 'insecure-skip-tls-verify'?: unknown };

interface Kubeconfig {
  'current-context'?: string;
  clusters?: { name: string; cluster: Section }[];
  users?: { name: string; user: Section & { exec?: unknown } }[];
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
    if (text !== undefined) return guarded(await readAccess(text, path), env);
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
  const token = user.token ?? (user.tokenFile ? (await beside(user.tokenFile)).trim() : undefined);
  const data = cluster['certificate-authority-data'];
  const authorityFile = cluster['certificate-authority'];
  return {
    server: cluster.server,
    authority: data
      ? Buffer.from(data, 'base64').toString('utf8')
      : authorityFile
        ? await beside(authorityFile)
        : undefined,
    token,
    exec: token === undefined && user.exec ? pluginOf(user.exec, path, cluster) : undefined,
    insecure: (cluster['insecure-skip-tls-verify'] as unknown) === true,
    namespace: context.namespace ?? 'default',
    path,
    user: context.user,
    cluster: context.cluster,
  };
}

/** A program is run only as a file says that nobody else could have written. */
function pluginOf(exec: unknown, path: string, cluster: Record<string, unknown>): ExecPlugin {
  try {
    const { distrust } = readWithOwner(path);
    if (distrust) throw terminal('BadKubeconfig', `it names a program to run, and ${distrust.message}`);
    return execPlugin(exec, dirname(path), cluster);
  } catch (error) {
    throw bad(path, (error as Error).message);
  }
}

/** A token that goes over plain HTTP can be read, and used from then on, by anyone on the way. */
function guarded(access: Access, env: Readonly<Record<string, string | undefined>>): Access {
  const { server, token, exec, path } = access;
  if (!server.startsWith('http:') || (token === undefined && exec === undefined)) return access;
  if (env.PLUMB_INSECURE_HTTP === 'true') return access;
  throw bad(
    path,
    `its server ${shownUrl(server)} is plain HTTP, where anyone on the way could read the token: use https, or set PLUMB_INSECURE_HTTP=true where no one is`,
  );
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
