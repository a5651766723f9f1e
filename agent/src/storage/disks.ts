import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { HostResource, LiveResource } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import { lookedAt } from '../host/looked-at.ts';
import { openPlain } from '../host/plain-file.ts';
import type { QemuUser } from '../host/qemu-user.ts';
import { giveToQemu } from '../host/qemu-user.ts';
import { flush, nothingThere, Records, requireSafeId } from '../host/records.ts';
import { tellFullDisk } from '../host/space.ts';
import type { Images } from './images.ts';
import type { OverlayHeader } from './qcow2-header.ts';
import { OVERLAY_HEADER_BYTES, readOverlayHeader } from './qcow2-header.ts';
import type { BaseImage } from './qemu-img.ts';
import { createClone, growDisk } from './qemu-img.ts';

export interface DisksOptions {
  dataDir: string;
  run: Run;
  images: Images;
  /** Who reads and writes them. */
  user: QemuUser;
  /** Grows the disk of a running instance through its hypervisor. False when none runs with it. */
  growLive: (disk: HostResource<'disk'>, path: string, bytes: number) => Promise<boolean>;
}

const SECTOR_BYTES = 512;
const SUFFIX = '.qcow2';

/** Root disks: linked clones, `disks/<id>.qcow2` under the data folder. */
export class Disks {
  readonly #options: DisksOptions;
  readonly #dir: string;
  readonly #records: Records<'disk'>;

  constructor(options: DisksOptions) {
    this.#options = options;
    this.#dir = join(options.dataDir, 'disks');
    this.#records = new Records(options.dataDir, 'disk');
  }

  /** Reads the records, and removes what an earlier process left half made. */
  async open(): Promise<void> {
    await this.#records.open();
    await mkdir(this.#dir, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.#dir))
      if (name.endsWith('.half')) await rm(join(this.#dir, name), { force: true, recursive: true });
  }

  async observe(): Promise<LiveResource<'disk'>[]> {
    const recorded = this.#records.list();
    const known = new Set(recorded.map(({ id }) => id));
    const files = (await readdir(this.#dir).catch(nothingThere<string[]>([]))).filter((name) => name.endsWith(SUFFIX));
    const unrecorded = files.map((name) => name.slice(0, -SUFFIX.length)).filter((id) => !known.has(id));
    const found = await Promise.all([
      ...recorded.map((resource) => lookedAt(resource, this.#look(resource))),
      // What cannot be read is not told: nothing says whose it is.
      ...unrecorded.map((id) => this.#lookWithoutRecord(id).catch(() => undefined)),
    ]);
    return found.filter((resource) => resource !== undefined);
  }

  /** Paths of records that say nothing of ours. */
  get unreadable(): string[] {
    return this.#records.unreadable;
  }

  /**
   * Clones the image, or grows the disk. Throws `DataLoss` (terminal) when only a new disk could be as declared, or when
   * a disk that was made is gone: a new one in its place would be empty, and nobody would know.
   */
  async ensure(resource: HostResource<'disk'>): Promise<LiveResource<'disk'>> {
    requireSafeId(resource.id);
    const { images } = this.#options;
    const { image, imageFormat } = resource.spec;
    const base = { path: images.path(image), format: imageFormat };
    const wanted = wholeSectors(Math.max(resource.spec.sizeBytes ?? 0, await images.virtualBytes(image, imageFormat)));
    const path = this.#path(resource.id);
    const found = await readHeader(path);
    if (found === undefined) {
      if (this.#records.get(resource.id) !== undefined) throw lost(resource);
      // It may be a disk that was damaged, or a link to where one was moved.
      if ((await lstat(path).catch(nothingThere(undefined))) !== undefined) throw inTheWay(resource, path);
      await this.#clone(path, base, wanted);
    } else {
      if (found.backingFile !== base.path) throw otherImage(resource, found);
      if (found.virtualBytes > wanted) throw smaller(resource, found.virtualBytes, wanted);
      if (found.virtualBytes < wanted) await this.#grow(resource, path, wanted);
    }
    await this.#records.put(resource);
    return this.#look(resource);
  }

  async remove(id: string): Promise<void> {
    requireSafeId(id);
    await rm(this.#path(id), { force: true });
    await this.#records.delete(id);
  }

  /** Makes it QEMU's, as one is not that was made when QEMU ran as another user. Before a start of its domain. */
  async handOver(id: string): Promise<void> {
    requireSafeId(id);
    await giveToQemu(this.#path(id), this.#options.user).catch(nothingThere(undefined));
  }

  /** Where the disk lies and what it is a clone of, as a domain's definition declares it. */
  chain(resource: HostResource<'disk'>): { path: string; base: BaseImage } {
    const { image, imageFormat } = resource.spec;
    return { path: this.#path(resource.id), base: { path: this.#options.images.path(image), format: imageFormat } };
  }

  #path(id: string): string {
    return join(this.#dir, `${id}${SUFFIX}`);
  }

  /** A disk has its name only when it is whole and on stable storage. */
  async #clone(path: string, base: BaseImage, bytes: number): Promise<void> {
    const half = `${path}.half`;
    try {
      await rm(half, { force: true });
      await createClone(this.#options.run, half, base, bytes);
      await giveToQemu(half, this.#options.user);
      await flush(half);
      await rename(half, path);
      await flush(this.#dir);
    } catch (thrown) {
      tellFullDisk(path)(thrown);
    } finally {
      await rm(half, { force: true });
    }
  }

  async #grow(resource: HostResource<'disk'>, path: string, bytes: number): Promise<void> {
    try {
      if (await this.#options.growLive(resource, path, bytes)) return;
      const { run, user } = this.#options;
      await giveToQemu(path, user); // One that was made when QEMU ran as root is root's still.
      await growDisk(run, path, bytes, user);
    } catch (thrown) {
      tellFullDisk(path)(thrown);
    }
  }

  async #look(resource: HostResource<'disk'>): Promise<LiveResource<'disk'>> {
    const found = await readHeader(this.#path(resource.id));
    const declared = resource.spec.sizeBytes ?? 0;
    const drift: string[] = [];
    if (found === undefined) drift.push('its file is missing: its data is lost');
    else if (found.virtualBytes < declared) drift.push(`it has ${found.virtualBytes} bytes, ${declared} are declared`);
    return { ...resource, drift };
  }

  /** A crash can come between a disk and its record: the file alone tells whose it is and what it was made from. */
  async #lookWithoutRecord(id: string): Promise<LiveResource<'disk'> | undefined> {
    const found = await readHeader(this.#path(id));
    if (found === undefined) return undefined;
    const image = basename(found.backingFile).replace(/\.[^.]*$/, '');
    return {
      kind: 'disk',
      id,
      owner: id.split('.')[0]!,
      spec: { image, imageFormat: found.backingFormat, sizeBytes: found.virtualBytes },
      drift: ['its declaration is not on this host'],
    };
  }
}

async function readHeader(path: string): Promise<OverlayHeader | undefined> {
  const file = await openPlain(path);
  if (file === undefined) return undefined;
  try {
    const header = Buffer.alloc(OVERLAY_HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    return readOverlayHeader(header.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function lost({ id }: HostResource<'disk'>) {
  return terminal('DataLoss', `the file of disk ${id} is gone: remove the disk to have an empty one made`);
}

function inTheWay({ id }: HostResource<'disk'>, path: string) {
  return terminal(
    'DataLoss',
    `what lies at ${path} is no disk of Plumb, and disk ${id} would be made in its place: move it`,
  );
}

function otherImage({ id, spec }: HostResource<'disk'>, found: OverlayHeader) {
  return terminal(
    'DataLoss',
    `disk ${id} is a clone of ${found.backingFile}, and image ${spec.image} is declared: its data would be lost`,
  );
}

function smaller({ id }: HostResource<'disk'>, has: number, wanted: number) {
  return terminal('DataLoss', `disk ${id} has ${has} bytes and ${wanted} are declared: shrinking it would lose data`);
}
