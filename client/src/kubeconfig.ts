/** kubeconfig files: the part of them that says where the servers are and who we are there, by context. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readWithOwner } from '@plumb/schemas/files/trusted-text.ts';
import { type PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { type Connection, endpointIn } from './connection.ts';
import { type ExecPlugin, execPlugin } from './exec-plugin.ts';

/** A named entry of a kubeconfig, and the file that holds it. */
export interface Entry {
  path: string;
  name: string;
}

export interface Context extends Connection {
  /** Of objects that name none, if the context says one. */
  namespace: string | undefined;
  /** Who asks, and what is asked. */
  user: Entry | undefined;
  cluster: Entry;
}

export interface KubeconfigFile {
  path: string;
  text: string;
  /** Why the file is not believed in what it says to run. */
  distrust: PlumbError | undefined;
}

/**
 * Other servers of the same cloud, in `clusters[].cluster.extensions` under this name, as `extension: {servers: [URL…]}`: other
 * clients pass over it.
 */
const MORE_SERVERS = 'plumb.dev/servers';

interface Kubeconfig {
  'current-context'?: unknown;
  contexts?: unknown;
  clusters?: unknown;
  users?: unknown;
}

type Fields = Record<string, unknown>;

/** What lies under a name, with its file, whose folder its relative paths begin at. */
interface Section {
  fields: Fields;
  file: KubeconfigFile;
}

/** The files that are there. Throws terminal `BadKubeconfig`. `help`: a sentence that says what to do. */
export function readKubeconfigs(paths: readonly string[], help: string): KubeconfigFile[] {
  return paths.flatMap((path) => {
    try {
      return [{ path, ...readWithOwner(path) }];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw badKubeconfig(path, (error as Error).message, help);
    }
  });
}

/**
 * The context of that name, or the current one. Of several files the first that says a thing wins, as in kubectl. Throws a
 * terminal `BadKubeconfig`; no message holds a credential. `parse`: reads YAML; what it throws is not shown.
 */
export function contextFrom(
  files: readonly KubeconfigFile[],
  help: string,
  named: string | undefined,
  parse: (text: string) => unknown,
): Context {
  const where = files.map(({ path }) => path).join(', ');
  const bad = (why: string) => badKubeconfig(where, why, help);
  const configs = files.map((file) => ({ file, config: configIn(file, help, parse) }));
  const find = (list: 'contexts' | 'clusters' | 'users', name: unknown, key: string): Section | undefined => {
    for (const { file, config } of configs) {
      const items = Array.isArray(config[list]) ? (config[list] as (Fields | null)[]) : [];
      const fields = items.find((item) => item?.name === name)?.[key];
      if (typeof fields === 'object' && fields !== null) return { fields: fields as Fields, file };
    }
    return undefined;
  };
  const current = named ?? configs.map(({ config }) => text(config['current-context'])).find((name) => name);
  if (!current) throw bad('it names no current-context');
  const context = find('contexts', current, 'context')?.fields;
  if (!context) throw bad(`it has no context ${current}`);
  const cluster = find('clusters', context.cluster, 'cluster');
  const server = text(cluster?.fields.server);
  if (!cluster || !server) throw bad(`its cluster ${text(context.cluster) ?? ''} names no server`);
  const user = find('users', context.user, 'user');
  return {
    ...serversOf(cluster, server, bad),
    ...(user ? credentialOf(user, cluster, bad) : {}),
    namespace: text(context.namespace),
    user: user && { path: user.file.path, name: String(context.user) },
    cluster: { path: cluster.file.path, name: String(context.cluster) },
  };
}

export interface Contexts {
  current: string | undefined;
  all: { name: string; cluster: string; user: string | undefined; namespace: string | undefined }[];
}

/** The contexts of all files, each once: of several of one name the first is taken. */
export function contextsIn(files: readonly KubeconfigFile[], help: string, parse: (text: string) => unknown): Contexts {
  const configs = files.map((file) => configIn(file, help, parse));
  const found = new Map<string, Contexts['all'][number]>();
  for (const config of configs)
    for (const item of Array.isArray(config.contexts) ? (config.contexts as (Fields | null)[]) : []) {
      const [name, fields] = [text(item?.name), (item?.context ?? {}) as Fields];
      if (name === undefined || found.has(name)) continue;
      const { cluster, user, namespace } = fields;
      found.set(name, { name, cluster: text(cluster) ?? '', user: text(user), namespace: text(namespace) });
    }
  const current = configs.map((config) => text(config['current-context'])).find((name) => name);
  return { current, all: [...found.values()] };
}

type Bad = (why: string) => PlumbError;

function serversOf(cluster: Section, server: string, bad: Bad): Connection {
  const { fields } = cluster;
  const ca = material(cluster, 'certificate-authority', bad);
  const serverName = text(fields['tls-server-name']);
  const proxy = text(fields['proxy-url']);
  const endpoints = [server, ...moreServers(fields)].map((one) => {
    try {
      return endpointIn(one, 'its server');
    } catch (error) {
      throw bad((error as Error).message);
    }
  });
  return {
    endpoints,
    ...(ca ? { ca } : {}),
    ...(serverName ? { serverName } : {}),
    ...(fields['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
    ...(proxy ? { proxy } : {}),
  };
}

function moreServers({ extensions }: Fields): string[] {
  const found = Array.isArray(extensions) ? (extensions as (Fields | null)[]) : [];
  const more = found.find((item) => item?.name === MORE_SERVERS)?.extension as Fields | null | undefined;
  return Array.isArray(more?.servers) ? more.servers.map(String) : [];
}

function credentialOf(user: Section, cluster: Section, bad: Bad): Partial<Connection> {
  const { fields } = user;
  if (fields['auth-provider'])
    throw bad('its user has an auth-provider, which Kubernetes has given up; use exec, a token or a certificate');
  const token = text(fields.token) ?? fileText(user, fields.tokenFile, bad)?.trim();
  const cert = material(user, 'client-certificate', bad);
  const key = material(user, 'client-key', bad);
  // A program is run only where nothing simpler is said.
  const exec = token === undefined && fields.exec ? pluginOf(user, cluster, bad) : undefined;
  return {
    ...(token ? { token } : {}),
    ...(cert && key ? { certificate: { cert, key } } : {}),
    ...(exec ? { exec } : {}),
  };
}

/** A program is run only as a file says that nobody else could have written. */
function pluginOf({ fields, file }: Section, cluster: Section, bad: Bad): ExecPlugin {
  if (file.distrust) throw bad(`it names a program to run, and ${file.distrust.message}`);
  try {
    return execPlugin(fields.exec, dirname(file.path), cluster.fields);
  } catch (error) {
    throw bad((error as Error).message);
  }
}

/** PEM text from `<name>-data` (base64), else from the file `<name>`. */
function material(section: Section, name: string, bad: Bad): string | undefined {
  const data = text(section.fields[`${name}-data`]);
  return data ? Buffer.from(data, 'base64').toString('utf8') : fileText(section, section.fields[name], bad);
}

function fileText({ file }: Section, named: unknown, bad: Bad): string | undefined {
  const other = text(named);
  if (other === undefined) return undefined;
  try {
    return readFileSync(resolve(dirname(file.path), other), 'utf8');
  } catch (error) {
    throw bad(`it names the file ${other}, which cannot be read (${(error as Error).message})`);
  }
}

function configIn({ path, text: content }: KubeconfigFile, help: string, parse: (text: string) => unknown): Kubeconfig {
  let config: unknown;
  try {
    config = parse(content) ?? {};
  } catch {
    throw badKubeconfig(path, 'it is not YAML', help);
  }
  if (typeof config !== 'object') throw badKubeconfig(path, 'it is not a YAML mapping', help);
  return config as Kubeconfig;
}

/** Undefined for what is empty or no text. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function badKubeconfig(path: string, why: string, help: string): PlumbError {
  return terminal('BadKubeconfig', `the kubeconfig ${path} cannot be used: ${why}. ${help}`);
}
