/** The two things that qemu-img does for us. Formats are always given: a guessed one lets a guest name files of the host. */

import type { Thing } from '@plumb/schemas';
import type { Run } from '../host/command.ts';

export type ImageFormat = 'qcow2' | 'raw';

/** Looks at a file that was fetched, with more than its header. Throws `ImageInvalid` (terminal). */
export type Inspect = (spec: Thing<'image'>['spec'], path: string) => Promise<void>;

/** A file that overlays are made on, and how it is to be read. */
export interface BaseImage {
  path: string;
  format: ImageFormat;
}

/** Makes a linked clone: an overlay that holds only what differs from `base`. */
export async function createClone(run: Run, path: string, base: BaseImage, bytes: number): Promise<void> {
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base.path, '-F', base.format, path, String(bytes)]);
}

/** Grows a qcow2 disk that nothing holds open. */
export async function growDisk(run: Run, path: string, bytes: number): Promise<void> {
  await run('qemu-img', ['resize', '-q', '-f', 'qcow2', path, String(bytes)]);
}
