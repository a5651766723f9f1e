/** The kubeconfig that a command used, after what it holds was replaced at the server. */
import { realpath } from 'node:fs/promises';
import type { Access } from '@plumb/client/access.ts';
import type { Entry } from '@plumb/client/kubeconfig.ts';
import { readTrusted, writePrivate } from '@plumb/schemas/files/private-file.ts';
import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';

export interface Replaced {
  token?: string;
  /** PEM text. */
  authority?: string;
}

/**
 * Puts what was replaced into the file that holds it, whole or not at all, and leaves everything else as it is. False when the
 * file gets it from elsewhere (`tokenFile`, `certificate-authority`) and so was not changed.
 */
export async function updateKubeconfig({ user, cluster }: Access, { token, authority }: Replaced): Promise<boolean> {
  const data = authority && Buffer.from(authority).toString('base64');
  if (token !== undefined && !(await update(user, 'users', 'user', 'token', token))) return false;
  return data === undefined || update(cluster, 'clusters', 'cluster', 'certificate-authority-data', data);
}

async function update(
  held: Entry | undefined,
  list: string,
  key: string,
  name: string,
  value: string,
): Promise<boolean> {
  if (!held) return false;
  // A person's own file may be a link, which stays.
  const file = await realpath(held.path);
  const document = parseDocument((await readTrusted(file)) ?? '');
  const before = String(document);
  if (!replace(entry(document, list, held.name, key), name, value)) return false;
  const after = String(document);
  // The server has written the file itself, if it is the one in its data folder.
  if (after !== before) await writePrivate(file, after);
  return true;
}

function replace(fields: YAMLMap | undefined, name: string, value: string): boolean {
  if (!fields?.has(name)) return false;
  if (fields.get(name) !== value) fields.set(name, value);
  return true;
}

/** The fields under `key` of the item of that name. */
function entry(document: Document, list: string, name: string, key: string): YAMLMap | undefined {
  const items = document.get(list);
  if (!isSeq(items)) return undefined;
  for (const item of items.items) {
    if (!isMap(item) || item.get('name') !== name) continue;
    const fields = item.get(key);
    if (isMap(fields)) return fields;
  }
  return undefined;
}
