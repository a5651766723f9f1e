/**
 * Files that can be written on a full disk. What an agent obeys must be on its disk before it does anything, and a control
 * plane that starts anew asks for that first: without it not even what fills the disk could be deleted.
 *
 * Beside each file lies a spare one that holds its place on the disk. A new text that finds none goes into the spare, which
 * then takes the file's place, and the file becomes the spare.
 */
import { constants } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type PrivateFiles, realFiles, syncFolder } from '@plumb/schemas/files/private-file.ts';
import { isPlain, openPlain, plainLength } from '../host/plain-file.ts';
import { isFullDisk } from '../host/space.ts';

/** More than what is written, and one block of the usual file systems. */
const SPARE_BYTES = 4096;

export function withSpares(files: PrivateFiles = realFiles): PrivateFiles {
  return {
    read: (path) => files.read(path),
    async write(path, text) {
      try {
        await files.write(path, text);
      } catch (thrown) {
        if (!isFullDisk(thrown) || !(await intoSpare(path, text))) throw thrown;
        return;
      }
      await makeSpare(path).catch(() => {}); // There is no need of it yet, and at the next write it is made.
    },
  };
}

/** The text in the spare's own place on the disk, durable, and then under the file's name. False when there is no spare. */
async function intoSpare(path: string, text: string): Promise<boolean> {
  const spare = spareOf(path);
  const content = Buffer.from(text);
  if (content.length > SPARE_BYTES || (await plainLength(spare)) !== SPARE_BYTES) return false;
  const file = await openPlain(spare, constants.O_RDWR);
  if (file === undefined) return false;
  try {
    await file.write(content, 0, content.length, 0);
    await file.truncate(content.length);
    await file.sync();
  } finally {
    await file.close();
  }
  const former = `${path}.former`;
  await rm(former, { force: true });
  await link(path, former).catch(() => {});
  await rename(spare, path);
  await syncFolder(dirname(path));
  await makeSpare(path, former).catch(() => {});
  return true;
}

/** `from`: a file whose place on the disk it takes over. */
async function makeSpare(path: string, from?: string): Promise<void> {
  const spare = spareOf(path);
  if ((await plainLength(spare)) === SPARE_BYTES) return;
  const beside = from ?? `${spare}.new`;
  // What has these names may be a link or a folder.
  if (from === undefined) await rm(beside, { recursive: true, force: true });
  if (!(await isPlain(spare))) await rm(spare, { recursive: true, force: true });
  const file = await open(beside, from === undefined ? 'wx' : 'r+', 0o600);
  try {
    // Bytes that are written hold a place; a hole would not.
    await file.write(Buffer.alloc(SPARE_BYTES, '\n'), 0, SPARE_BYTES, 0);
    await file.sync();
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  } finally {
    await file.close();
  }
  await rename(beside, spare);
}

function spareOf(path: string): string {
  return `${path}.spare`;
}
