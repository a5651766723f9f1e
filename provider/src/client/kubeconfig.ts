/** kubeconfig files, the part of them that says where a server is and who we are there. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { type ExecPlugin, execPlugin } from '@plumb/client/exec-plugin.ts';
import { PlumbError, terminal } from '@plumb/schemas';
import { readWithOwner } from '@plumb/schemas/files/trusted-text.ts';
import { parse } from 'yaml';
import type { Connection } from './connection.ts';

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string } }[];
  clusters?: { name: string; cluster: Record<string, unknown> }[];
  users?: { name: string; user: Record<string, unknown> }[];
}

/** A section of a file, with the folder that its relative paths begin at. */
interface Section {
  fields: Record<string, unknown>;
  folder: string;
  /** Why the file is not believed in what it says to run. */
  distrust: PlumbError | undefined;
}

/**
 * The server of the current context. Of several files the first that says a thing wins, and files that are not there
 * are skipped, as kubectl does it. Throws a terminal `BadKubeconfig`; no message holds a credential.
 */
export function clusterOf(files: readonly string[]): Connection {
  const found = files.flatMap((file) => readKubeconfig(file, files.length > 1));
  const where = files.join(', ');
  const current = found.map(({ config }) => config['current-context']).find((name) => name);
  if (!current) throw bad(where, 'it has no current-context');
  const context = found.flatMap(({ config }) => config.contexts ?? []).find((c) => c.name === current)?.context;
  if (!context) throw bad(where, `the context ${current} is not in it`);
  const cluster = section(found, (c) => c.clusters?.find((x) => x.name === context.cluster)?.cluster);
  if (typeof cluster?.fields.server !== 'string') throw bad(where, `the cluster ${context.cluster} has no server`);
  const user = section(found, (c) => c.users?.find((x) => x.name === context.user)?.user);
  if (user?.fields['auth-provider']) {
    throw bad(
      where,
      `the user ${context.user} has an auth-provider, which Kubernetes has given up; use exec, a token or a certificate`,
    );
  }
  const exec = user && pluginOf(user, cluster, where);
  const ca = material(cluster, 'certificate-authority', where);
  const token = user && tokenOf(user, where);
  const cert = user && material(user, 'client-certificate', where);
  const key = user && material(user, 'client-key', where);
  const serverName = cluster.fields['tls-server-name'];
  const proxy = cluster.fields['proxy-url'];
  return {
    endpoint: cluster.fields.server,
    ...(ca ? { ca } : {}),
    ...(token ? { token } : {}),
    ...(cert && key ? { certificate: { cert, key } } : {}),
    ...(typeof serverName === 'string' ? { serverName } : {}),
    ...(cluster.fields['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
    ...(exec ? { exec } : {}),
    ...(typeof proxy === 'string' && proxy !== '' ? { proxy } : {}),
  };
}

interface Found {
  config: Kubeconfig;
  folder: string;
  distrust: PlumbError | undefined;
}

function readKubeconfig(file: string, optional: boolean): Found[] {
  let text: string;
  let distrust: PlumbError | undefined;
  try {
    ({ text, distrust } = readWithOwner(file));
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (optional && absent) return [];
    throw bad(file, absent ? 'there is no such file' : (error as Error).message);
  }
  try {
    const config: unknown = parse(text);
    if (typeof config !== 'object' || config === null) throw bad(file, 'it is not a YAML mapping');
    return [{ config: config as Kubeconfig, folder: dirname(file), distrust }];
  } catch (error) {
    // The parser's own message quotes lines of the file, and these may be credentials.
    throw error instanceof PlumbError ? error : bad(file, 'it is not YAML');
  }
}

function section(found: Found[], pick: (c: Kubeconfig) => Record<string, unknown> | undefined): Section | undefined {
  for (const { config, ...file } of found) {
    const fields = pick(config);
    if (fields) return { fields, ...file };
  }
  return undefined;
}

/** The program that gives the credential, if there is one and nothing simpler. It is run only as a file of ours says. */
function pluginOf({ fields, folder, distrust }: Section, cluster: Section, where: string): ExecPlugin | undefined {
  if (!fields.exec || (typeof fields.token === 'string' && fields.token !== '')) return undefined;
  if (distrust) throw bad(where, `it names a program to run, and ${distrust.message}`);
  try {
    return execPlugin(fields.exec, folder, cluster.fields);
  } catch (error) {
    throw bad(where, (error as Error).message);
  }
}

/** PEM text from `<name>-data` (base64), else from the file `<name>`. */
function material({ fields, folder }: Section, name: string, where: string): string | undefined {
  const data = fields[`${name}-data`];
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  return fileContent(fields[name], folder, name, where);
}

function tokenOf({ fields, folder }: Section, where: string): string | undefined {
  if (typeof fields.token === 'string' && fields.token !== '') return fields.token;
  return fileContent(fields.tokenFile, folder, 'tokenFile', where)?.trim();
}

function fileContent(path: unknown, folder: string, name: string, where: string): string | undefined {
  if (typeof path !== 'string' || path === '') return undefined;
  try {
    return readFileSync(isAbsolute(path) ? path : join(folder, path), 'utf8');
  } catch (error) {
    throw bad(where, `${name}: ${(error as Error).message}`);
  }
}

function bad(where: string, why: string): PlumbError {
  return terminal(
    'BadKubeconfig',
    `The kubeconfig ${where} cannot be used: ${why}. Take the one that the server wrote into its data folder (plumb server says where), and name it in the provider's kubeconfig or in KUBECONFIG.`,
  );
}
