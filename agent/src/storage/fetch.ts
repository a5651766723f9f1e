import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Thing } from '@plumb/schemas';
import { PlumbError, retryable, shownUrl, terminal } from '@plumb/schemas';
import { tellFullDisk } from '../host/space.ts';
import { otherChecksum, tooLarge } from './image-content.ts';

/** Statuses that say that the URL is wrong, and not that its server has a bad moment. */
const GONE = new Set([400, 401, 403, 404, 405, 410]);

/**
 * Copies what is at the image's URL to `path`, which must not exist, durably; sums it on the way. Ends early when it is
 * too large. Throws `ImageNotFound`, `ImageTooLarge`, `ChecksumMismatch` (terminal), `ImageUnavailable`, `NoSpace` (retry).
 */
export async function fetchImage({ spec }: Thing<'image'>, path: string, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  const source = await openUrl(spec, signal);
  const file = await open(path, 'wx', 0o644);
  try {
    for await (const chunk of named(source, spec.url)) {
      bytes += chunk.length;
      if (bytes > spec.maxBytes) throw tooLarge(spec, 'the file has more bytes');
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } catch (thrown) {
    tellFullDisk(path)(thrown);
  } finally {
    await file.close();
  }
  if (hash.digest('hex') !== spec.sha256) throw otherChecksum(spec);
}

type Chunks = AsyncIterable<Uint8Array>;

async function openUrl(spec: Thing<'image'>['spec'], signal: AbortSignal): Promise<Chunks> {
  const protocol = URL.parse(spec.url)?.protocol;
  if (protocol === 'file:') return openFile(spec, signal);
  if (protocol === 'https:' || protocol === 'http:') return openHttp(spec, signal);
  throw terminal(
    'ImageNotFound',
    `the image at ${shownUrl(spec.url)} cannot be fetched: use an https, http or file URL`,
  );
}

async function openFile(spec: Thing<'image'>['spec'], signal: AbortSignal): Promise<Chunks> {
  const { url } = spec;
  try {
    const path = fileURLToPath(url);
    const found = await stat(path);
    if (!found.isFile()) throw terminal('ImageNotFound', `the image at ${url} is not a file`);
    if (found.size > spec.maxBytes) throw tooLarge(spec, `the file has ${found.size} bytes`);
    return createReadStream(path, { signal, highWaterMark: 1024 * 1024 });
  } catch (thrown) {
    if (thrown instanceof PlumbError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR' || code.startsWith('ERR_INVALID'))
      throw terminal('ImageNotFound', `there is no image at ${url} on this host: check the URL`);
    throw unavailable(url, thrown);
  }
}

async function openHttp(spec: Thing<'image'>['spec'], signal: AbortSignal): Promise<Chunks> {
  const { url } = spec;
  const { address, headers } = requestOf(url);
  const response = await fetch(address, { signal, headers }).catch((thrown) => {
    throw unavailable(url, thrown);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const said = `the server answered ${response.status} ${response.statusText}`.trim();
    if (GONE.has(response.status))
      throw terminal('ImageNotFound', `there is no image at ${shownUrl(url)}: ${said}. Check the URL`);
    throw unavailable(url, said);
  }
  const declared = Number(response.headers.get('content-length') ?? 0);
  if (declared > spec.maxBytes) {
    await response.body.cancel();
    throw tooLarge(spec, `the file has ${declared} bytes`);
  }
  return response.body;
}

/** `fetch` takes no name and password in a URL, and repeats both in what it throws: they are sent as RFC 7617 says. */
function requestOf(url: string): { address: URL; headers: Record<string, string> } {
  const address = new URL(url);
  const { username, password } = address;
  address.username = '';
  address.password = '';
  const headers = { accept: '*/*' };
  if (!username && !password) return { address, headers };
  const credentials = Buffer.from(`${percentDecoded(username)}:${percentDecoded(password)}`).toString('base64');
  return { address, headers: { ...headers, authorization: `Basic ${credentials}` } };
}

/** The text as it is where it is no percent-encoding: a URL may hold a bare percent sign there. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Failures while reading name the image; failures of writing pass by untouched. */
async function* named(chunks: Chunks, url: string): Chunks & AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (thrown) {
    throw unavailable(url, thrown);
  }
}

function unavailable(url: string, cause: unknown): PlumbError {
  const deepest = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = deepest instanceof Error ? deepest.message : String(cause);
  return retryable('ImageUnavailable', `the image at ${shownUrl(url)} cannot be fetched: ${why}`, cause);
}
