import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { HostResource } from '@plumb/schemas';
import { parseAddress } from '@plumb/schemas/sources/address.ts';
import type { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { notFound, reasonOf, refused, unavailable } from '../../fetch/failures.ts';
import { openFile } from '../../fetch/open-file.ts';
import { foundFolders } from '../../fetch/open-source.ts';
import { IMAGE_HEAD_BYTES, otherChecksum, requireUsable, tooLarge } from '../../storage/image-content.ts';

/**
 * Checks an image as a real host does, by the same rules of where it may come from, as far as that needs no network: a file
 * is measured and summed; what a server would send is believed, and so is that a name has an allowed address. Throws
 * `ImageSourceRefused`, `ImageNotFound`, `ImageTooLarge`, `ChecksumMismatch`, `ImageInvalid` (terminal), `ImageUnavailable`
 * (retry).
 */
export async function checkImage({ spec }: HostResource<'image'>, rules: SourceRules): Promise<void> {
  const parsed = URL.parse(spec.url);
  if (parsed?.protocol === 'file:') return checkFile(spec, rules);
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:')
    throw notFound(spec.url, 'use an https, http or file URL');
  checkServer(spec.url, parsed, rules);
}

function checkServer(url: string, { hostname, port, protocol }: URL, rules: SourceRules): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = parseAddress(/(^|\.)localhost\.?$/i.test(host) ? '127.0.0.1' : host);
  if (address === undefined) {
    if (rules.restricted && !rules.namesAddresses && !rules.namesHost(host)) throw refused(url);
    return;
  }
  const number = Number(port) || (protocol === 'https:' ? 443 : 80);
  if (rules.judge(host, number, address, []) === 'refused') throw refused(url);
}

async function checkFile(spec: HostResource<'image'>['spec'], rules: SourceRules): Promise<void> {
  const { handle, stats } = await openFile(spec.url, await foundFolders(rules), rules.dataDir);
  try {
    if (stats.size > spec.maxBytes) throw tooLarge(spec, `the file has ${stats.size} bytes`);
    const file = { key: `${stats.dev} ${stats.ino}`, version: `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}` };
    if ((await sum(file, handle)) !== spec.sha256) throw otherChecksum(spec);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(IMAGE_HEAD_BYTES), 0, IMAGE_HEAD_BYTES, 0);
    requireUsable(spec, buffer.subarray(0, bytesRead), stats.size);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) throw unavailable(spec.url, reasonOf(thrown), thrown);
    throw thrown;
  } finally {
    await handle.close();
  }
}

/** Sums by file, so that a thousand hosts that start from one file read it once; kept while size and times are the same. */
const sums = new Map<string, { version: string; sha256: Promise<string> }>();

function sum({ key, version }: { key: string; version: string }, handle: FileHandle): Promise<string> {
  const known = sums.get(key);
  if (known?.version === version) return known.sha256;
  const sha256 = hashFile(handle);
  sums.set(key, { version, sha256 });
  sha256.catch(() => sums.delete(key));
  return sha256;
}

async function hashFile(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}
