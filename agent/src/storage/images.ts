import { chmod, chown, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostResource, LiveResource } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import type { Attention } from '../drivers/driver.ts';
import { lookedAt } from '../host/looked-at.ts';
import { isPlain } from '../host/plain-file.ts';
import { letQemuRead, type QemuUser } from '../host/qemu-user.ts';
import { flush, nothingThere, Records, requireSafeId } from '../host/records.ts';
import type { FetchOptions } from './fetch.ts';
import { fetchImage } from './fetch.ts';
import { Fetches } from './fetches.ts';
import { IMAGE_HEAD_BYTES, requireUsable } from './image-content.ts';
import { readQcow2Header } from './qcow2-header.ts';
import type { ImageFormat, Inspect } from './qemu-img.ts';

export interface ImagesOptions extends FetchOptions {
  dataDir: string;
  /** Who may read images beside the agent, and nobody else. */
  user: QemuUser;
  /** Refuses what QEMU would refuse, and its header does not tell. */
  inspect?: Inspect;
}

const SUFFIX = '.img';
const HALF = '.half';

/**
 * Base images: `images/<sha256>.img` under the data folder, whole or not there. Only QEMU's group may read them
 * beside the agent, and only who knows their names finds them.
 */
export class Images {
  readonly #dir: string;
  readonly #options: ImagesOptions;
  readonly #records: Records<'image'>;
  readonly #fetches: Fetches;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#dir = join(options.dataDir, 'images');
    this.#records = new Records(options.dataDir, 'image');
    this.#fetches = new Fetches(options.limits.imageFetchesAtOnce, (resource, signal, onProgress) =>
      this.#fetch(resource, signal, onProgress),
    );
  }

  /** Reads the records, removes what an earlier process left half fetched, and gives every file the rights of today. */
  async open(): Promise<void> {
    await this.#records.open();
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await chown(this.#dir, process.getuid?.() ?? 0, this.#options.user.gid);
    await chmod(this.#dir, 0o710);
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name);
      if (name.endsWith(HALF)) await rm(path, { force: true, recursive: true });
      else if (name.endsWith(SUFFIX) && (await isPlain(path)))
        await letQemuRead(path, this.#options.user).catch(() => {}); // Its guests say so at their next start.
    }
  }

  async observe(): Promise<LiveResource<'image'>[]> {
    const recorded = await Promise.all(
      this.#records.list().map((resource) => lookedAt(resource, this.#look(resource))),
    );
    const files = (await readdir(this.#dir).catch(nothingThere<string[]>([]))).filter((name) => name.endsWith(SUFFIX));
    const unrecorded = files.map((name) => name.slice(0, -SUFFIX.length)).filter((id) => !this.#records.get(id));
    return [...recorded, ...unrecorded.map(withoutRecord)];
  }

  /** Paths of records that say nothing of ours. */
  get unreadable(): string[] {
    return this.#records.unreadable;
  }

  /**
   * Fetches the image's file unless it is there, or waits for a fetch of it that is under way. It ends when all who wait for it
   * have given up. To be called without a lock, since it may take hours. Errors as fetchImage's; `Aborted` (retry).
   */
  async fetch(resource: HostResource<'image'>, attention: Attention = {}): Promise<void> {
    requireSafeId(resource.id);
    if (resource.id !== resource.spec.sha256)
      throw terminal('InvalidResource', `The image ${resource.id} is declared with the sha256 ${resource.spec.sha256}`);
    while (!(await isPlain(this.path(resource.id)))) await this.#fetches.await(resource, attention);
  }

  /** Fetches the image unless it is there. Errors as fetchImage's, and `ImageInvalid` (terminal). */
  async ensure(resource: HostResource<'image'>, attention: Attention = {}): Promise<LiveResource<'image'>> {
    await this.fetch(resource, attention);
    await requireUsableFile(resource, this.path(resource.id));
    await this.#records.put(resource);
    return this.#look(resource);
  }

  async remove(id: string): Promise<void> {
    requireSafeId(id);
    await this.#fetches.end(id);
    await rm(this.path(id), { force: true });
    await this.#records.delete(id);
  }

  /** Ends a fetch of this image that is under way, so that a removal need not wait for it. */
  abort(id: string): void {
    void this.#fetches.end(id);
  }

  abortAll(): void {
    this.#fetches.endAll();
  }

  path(id: string): string {
    return join(this.#dir, `${id}${SUFFIX}`);
  }

  /** The size of the image's disk, read as this format. `MissingDependency` (retry) when it is not there. */
  async virtualBytes(id: string, format: ImageFormat): Promise<number> {
    requireSafeId(id);
    if (!(await isPlain(this.path(id))))
      throw retryable('MissingDependency', `the image ${id} is not on this host: make it first`);
    const { head, bytes } = await beginning(this.path(id));
    return format === 'raw' ? bytes : readQcow2Header(head);
  }

  async #fetch(
    resource: HostResource<'image'>,
    signal: AbortSignal,
    onProgress: Attention['onProgress'],
  ): Promise<void> {
    const path = this.path(resource.id);
    const half = `${path}${HALF}`;
    try {
      await rm(half, { force: true });
      await fetchImage(resource, half, this.#options, signal, onProgress);
      await requireUsableFile(resource, half);
      await this.#options.inspect?.(resource.spec, half);
      await letQemuRead(half, this.#options.user); // Shared by every disk cloned from it.
      signal.throwIfAborted();
      // The record first: a file that nobody knows would stay for ever, a record without its file is mended.
      await this.#records.put(resource);
      await rename(half, path);
      await flush(this.#dir);
    } finally {
      await rm(half, { force: true });
    }
  }

  async #look(resource: HostResource<'image'>): Promise<LiveResource<'image'>> {
    const there = await isPlain(this.path(resource.id));
    return { ...resource, drift: there ? [] : ['its file is missing from the cache'] };
  }
}

async function requireUsableFile({ spec }: HostResource<'image'>, path: string): Promise<void> {
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

/** Disks may be clones of it, so that it is told even when nothing is left of where it came from and for whom. */
function withoutRecord(id: string): LiveResource<'image'> {
  const spec = { url: '', sha256: id, format: 'raw', maxBytes: 0 } as const;
  return { kind: 'image', id, owner: '', spec, drift: ['its declaration is not on this host'] };
}
