import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Thing } from '@plumb/schemas';
import { retryable, shownUrl } from '@plumb/schemas';
import { IMAGE_HEAD_BYTES, otherChecksum, requireUsable, tooLarge } from '../../storage/image-content.ts';

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
    if (found.size > spec.maxBytes) throw tooLarge(spec, `the file has ${found.size} bytes`);
    const sha256 = await sum(path, `${found.size} ${found.mtimeMs}`);
    if (sha256 !== spec.sha256) throw otherChecksum(spec);
    requireUsable(spec, await beginning(path), found.size);
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw retryable('ImageUnavailable', `the image at ${shownUrl(spec.url)} cannot be read: ${error.message}`, error);
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

async function beginning(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(IMAGE_HEAD_BYTES), 0, IMAGE_HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
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
