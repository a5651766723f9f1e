import { lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostResource, ResourceType } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { storedResource } from '@plumb/schemas/wire/resource-codec.ts';
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
  readonly #check: (resource: HostResource<K>) => void;
  readonly #resources = new Map<string, HostResource<K>>();
  readonly #unreadable = new Set<string>();

  /** `check` throws for what nothing can be made from; a record that says it is none. */
  constructor(dataDir: string, kind: K, check: (resource: HostResource<K>) => void = () => {}) {
    this.#kind = kind;
    this.#check = check;
    this.#dir = join(dataDir, 'things', kind);
  }

  /** Reads what is there. A file that is no record is passed over; what it was for shows up as undeclared. */
  async open(): Promise<void> {
    for (const name of await this.#names()) {
      if (!name.endsWith('.json')) continue;
      const resource = await this.#read(name.slice(0, -'.json'.length));
      if (resource !== undefined) this.#resources.set(resource.id, resource);
      else this.#unreadable.add(join(this.#dir, name));
    }
  }

  /** Paths of what lies in the place of a record and says nothing that could be one. */
  get unreadable(): string[] {
    return [...this.#unreadable];
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
    await this.#clear(id);
    await writeDurably(this.#path(id), `${JSON.stringify({ owner, spec })}\n`, 0o600);
    const isNew = !this.#resources.has(id);
    this.#resources.set(id, resource as HostResource<K>);
    return isNew;
  }

  async delete(id: string): Promise<void> {
    requireSafeId(id);
    await this.#clear(id);
    await rm(this.#path(id), { force: true });
    this.#resources.delete(id);
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#dir);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') this.#unreadable.add(this.#dir);
      return [];
    }
  }

  async #read(id: string): Promise<HostResource<K> | undefined> {
    try {
      const text = await readPlain(this.#path(id), { own: true });
      const resource = storedResource(this.#kind, id, JSON.parse(text ?? '')) as HostResource<K> | undefined;
      if (resource !== undefined) this.#check(resource);
      return resource;
    } catch {
      return undefined; // Not ours, damaged, or on a disk that fails.
    }
  }

  /** A folder in the place of a record holds nobody up, and what may be in it stays. */
  async #clear(id: string): Promise<void> {
    const path = this.#path(id);
    if (!this.#unreadable.delete(path) || !(await lstat(path).catch(nothingThere(undefined)))?.isDirectory()) return;
    const aside = `${path}.aside`;
    await rm(aside, { recursive: true, force: true });
    await rename(path, aside);
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
    // What has its name may be a link.
    await rm(half, { recursive: true, force: true });
    await writeFile(half, content, { mode, flush: true, flag: 'wx' });
    await rename(half, path);
    await flush(dirname(path));
  } catch (thrown) {
    await rm(half, { recursive: true, force: true }).catch(() => {}); // The failure itself is told.
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
