import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Thing } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';

/**
 * Checks an image as a real host does, as far as that needs no network: a `file://` URL whose file is on this machine
 * is measured and summed; any other URL is believed. Throws `ImageTooLarge` and `ChecksumMismatch` (terminal) and
 * `ImageUnavailable` (retry).
 */
export async function checkImage({ spec }: Thing<'image'>): Promise<void> {
  const path = localPath(spec.url);
  if (path === undefined) return;
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return;
  try {
    tooLarge(spec, found.size, 'the file');
    if (spec.format === 'qcow2') tooLarge(spec, await virtualSize(path), 'its virtual disk');
    const sha256 = await sum(path, `${found.size} ${found.mtimeMs}`);
    if (sha256 !== spec.sha256)
      throw terminal(
        'ChecksumMismatch',
        `the image at ${spec.url} has the sha256 ${sha256}, and ${spec.sha256} was declared: correct one of them`,
      );
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw retryable('ImageUnavailable', `the image at ${spec.url} cannot be read: ${error.message}`, error);
    throw error;
  }
}

function localPath(url: string): string | undefined {
  try {
    return url.startsWith('file://') ? fileURLToPath(url) : undefined;
  } catch {
    return undefined;
  }
}

function tooLarge(spec: Thing<'image'>['spec'], bytes: number, what: string): void {
  if (bytes > spec.maxBytes)
    throw terminal(
      'ImageTooLarge',
      `the image at ${spec.url} is too large: ${what} has ${bytes} bytes, allowed are ${spec.maxBytes}`,
    );
}

/** Size in bytes of the disk in a qcow2 file: 8 bytes, big endian, at offset 24 (QEMU docs/interop/qcow2). */
async function virtualSize(path: string): Promise<number> {
  const file = await open(path);
  try {
    const header = Buffer.alloc(32);
    const { bytesRead } = await file.read(header, 0, 32, 0);
    return bytesRead === 32 && header.toString('latin1', 0, 4) === 'QFI\xfb' ? Number(header.readBigUInt64BE(24)) : 0;
  } finally {
    await file.close();
  }
}

/** Sums by path, so that a thousand hosts that start from one file read it once; kept while size and time are the same. */
const sums = new Map<string, { version: string; sha256: Promise<string> }>();

function sum(path: string, version: string): Promise<string> {
  const known = sums.get(path);
  if (known?.version === version) return known.sha256;
  const sha256 = hashFile(path);
  sums.set(path, { version, sha256 });
  sha256.catch(() => sums.delete(path));
  return sha256;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
