import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveThing, Thing } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import { flush, nothingThere, Records, requireSafeId } from '../host/records.ts';
import { fetchImage } from './fetch.ts';
import { IMAGE_HEAD_BYTES, requireUsable } from './image-content.ts';
import { readQcow2Header } from './qcow2-header.ts';
import type { ImageFormat } from './qemu-img.ts';

const SUFFIX = '.img';

/**
 * Base images: `images/<sha256>.img` under the data folder, whole or not there. What a file is read as is said by who
 * reads it: the same bytes may be declared as raw and as qcow2.
 */
export class Images {
  readonly #dir: string;
  readonly #records: Records<'image'>;
  readonly #fetching = new Map<string, AbortController>();

  constructor(dataDir: string) {
    this.#dir = join(dataDir, 'images');
    this.#records = new Records(dataDir, 'image');
  }

  /** Reads the records, and removes what an earlier process left half fetched. */
  async open(): Promise<void> {
    await this.#records.open();
    await mkdir(this.#dir, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.#dir))
      if (name.endsWith('.half')) await rm(join(this.#dir, name), { force: true });
  }

  async observe(): Promise<LiveThing<'image'>[]> {
    const recorded = await Promise.all(this.#records.list().map((thing) => this.#look(thing)));
    const files = (await readdir(this.#dir).catch(nothingThere<string[]>([]))).filter((name) => name.endsWith(SUFFIX));
    const unrecorded = files.map((name) => name.slice(0, -SUFFIX.length)).filter((id) => !this.#records.get(id));
    return [...recorded, ...unrecorded.map(withoutRecord)];
  }

  /** Fetches the image unless it is there. Errors as fetchImage's, and `ImageInvalid` (terminal). */
  async ensure(thing: Thing<'image'>): Promise<LiveThing<'image'>> {
    requireSafeId(thing.id);
    if (thing.id !== thing.spec.sha256)
      throw terminal('InvalidThing', `The image ${thing.id} is declared with the sha256 ${thing.spec.sha256}`);
    const path = this.path(thing.id);
    if (await isFile(path)) await requireUsableFile(thing, path);
    else await this.#fetch(thing, path);
    await this.#records.put(thing);
    return this.#look(thing);
  }

  async remove(id: string): Promise<void> {
    this.abort(id);
    requireSafeId(id);
    await rm(this.path(id), { force: true });
    await this.#records.delete(id);
  }

  /** Ends a fetch of this image that is under way, so that nobody has to wait for it. */
  abort(id: string): void {
    this.#fetching.get(id)?.abort(retryable('Aborted', `the fetch of image ${id} was ended`));
  }

  abortAll(): void {
    for (const id of this.#fetching.keys()) this.abort(id);
  }

  path(id: string): string {
    return join(this.#dir, `${id}${SUFFIX}`);
  }

  /** The size of the image's disk, read as this format. `MissingDependency` (retry) when it is not there. */
  async virtualBytes(id: string, format: ImageFormat): Promise<number> {
    requireSafeId(id);
    if (!(await isFile(this.path(id))))
      throw retryable('MissingDependency', `the image ${id} is not on this host: make it first`);
    const { head, bytes } = await beginning(this.path(id));
    return format === 'raw' ? bytes : readQcow2Header(head);
  }

  async #fetch(thing: Thing<'image'>, path: string): Promise<void> {
    const abort = new AbortController();
    this.#fetching.set(thing.id, abort);
    const half = `${path}.half`;
    try {
      await rm(half, { force: true });
      await fetchImage(thing, half, abort.signal);
      await requireUsableFile(thing, half);
      await chmod(half, 0o444); // Shared by every disk cloned from it, and read by QEMU's own user.
      // The record first: a file that nobody knows would stay for ever, a record without its file is mended.
      await this.#records.put(thing);
      await rename(half, path);
      await flush(this.#dir);
    } catch (thrown) {
      throw abort.signal.aborted ? abort.signal.reason : thrown;
    } finally {
      this.#fetching.delete(thing.id);
      await rm(half, { force: true });
    }
  }

  async #look(thing: Thing<'image'>): Promise<LiveThing<'image'>> {
    const there = await isFile(this.path(thing.id));
    return { ...thing, drift: there ? [] : ['its file is missing from the cache'] };
  }
}

async function requireUsableFile({ spec }: Thing<'image'>, path: string): Promise<void> {
  const { head, bytes } = await beginning(path);
  requireUsable(spec, head, bytes);
}

/** The first bytes of the file, and how many it has. */
async function beginning(path: string): Promise<{ head: Buffer; bytes: number }> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(IMAGE_HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return { head: head.subarray(0, bytesRead), bytes: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(nothingThere(undefined)))?.isFile() ?? false;
}

/** Disks may be clones of it, so that it is told even when nothing is left of where it came from and for whom. */
function withoutRecord(id: string): LiveThing<'image'> {
  const spec = { url: '', sha256: id, format: 'raw', maxBytes: 0 } as const;
  return { kind: 'image', id, owner: '', spec, drift: ['its declaration is not on this host'] };
}
