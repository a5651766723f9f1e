import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostResource, ResourceType } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { readPlain } from './plain-file.ts';
import { tellFullDisk } from './space.ts';

/** Ids become file names: nothing but these characters, and no dot in front. */
const SAFE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/;

/** Throws `InvalidResource` (terminal) unless the id can be a file's name. */
export function requireSafeId(id: string): void {
  if (!SAFE_ID.test(id))
    throw terminal('InvalidResource', `The id ${JSON.stringify(id)} has characters that no id of Plumb has`);
}

/**
 * What was asked of this host, one JSON file per resource: the part of a declaration that a kernel or a disk image cannot
 * hold. Whether the resource exists is for the kernel and the file system to say. Read once, then kept in memory too.
 */
export class Records<K extends ResourceType> {
  readonly #dir: string;
  readonly #kind: K;
  readonly #resources = new Map<string, HostResource<K>>();

  constructor(dataDir: string, kind: K) {
    this.#kind = kind;
    this.#dir = join(dataDir, 'things', kind);
  }

  /** Reads what is there. A file that is no record is passed over; what it was for shows up as undeclared. */
  async open(): Promise<void> {
    for (const name of await readdir(this.#dir).catch(nothingThere<string[]>([]))) {
      if (!name.endsWith('.json')) continue;
      const id = name.slice(0, -'.json'.length);
      const resource = parse((await readPlain(this.#path(id))) ?? '', this.#kind, id);
      if (resource !== undefined) this.#resources.set(id, resource);
    }
  }

  list(): HostResource<K>[] {
    return [...this.#resources.values()];
  }

  get(id: string): HostResource<K> | undefined {
    return this.#resources.get(id);
  }

  /** Writes durably: after a crash the old record or the new one is there, whole. True when there was none. */
  async put(resource: { kind: K; id: string; owner: string; spec: unknown }): Promise<boolean> {
    const { id, owner, spec } = resource;
    requireSafeId(id);
    await writeDurably(this.#path(id), `${JSON.stringify({ owner, spec })}\n`, 0o600);
    const isNew = !this.#resources.has(id);
    this.#resources.set(id, resource as HostResource<K>);
    return isNew;
  }

  async delete(id: string): Promise<void> {
    requireSafeId(id);
    await rm(this.#path(id), { force: true });
    this.#resources.delete(id);
  }

  #path(id: string): string {
    return join(this.#dir, `${id}.json`);
  }
}

/** Writes a file whole or not at all, and so that it survives a crash of the machine. `NoSpace` (retry). */
async function writeDurably(path: string, content: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  const half = `${path}.half`;
  try {
    await writeFile(half, content, { mode, flush: true });
    await rename(half, path);
    await flush(dirname(path));
  } catch (thrown) {
    await rm(half, { force: true });
    tellFullDisk(path)(thrown);
  }
}

/** Makes what was written to a file, or a directory's list of names, durable. */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** For `catch`: `value` when the file does not exist; other errors go on. */
export function nothingThere<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}

function parse<K extends ResourceType>(text: string, kind: K, id: string): HostResource<K> | undefined {
  try {
    const { owner, spec } = JSON.parse(text);
    const resource: unknown = { kind, id, owner, spec };
    if (typeof owner === 'string' && typeof spec === 'object' && spec !== null && !Array.isArray(spec))
      return resource as HostResource<K>;
  } catch {
    // Not ours, or damaged.
  }
  return undefined;
}
