/** Opens the source of an image, whatever kind it is, as the rules of the operator allow. */
import { lookup } from 'node:dns/promises';
import type { Readable } from 'node:stream';
import { realAmbient } from '@plumb/schemas/meta/ambient.ts';
import type { PlumbError } from '@plumb/schemas/meta/error.ts';
import { ownAddresses } from '@plumb/schemas/sources/own-addresses.ts';
import type { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { notFound, reasonOf, unavailable } from './failures.ts';
import { findFolder, type ImageFolder, openFile } from './open-file.ts';
import { type HttpSurroundings, openHttp } from './open-http.ts';

/** A source that was opened. */
export interface Source {
  /** As it is announced; undefined when it is not. */
  bytes: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
  /** Lets go of it. Always to be called, however far it was read. */
  close(): void;
}

/** Opens the source at a URL. Rejects as the parts say; when `signal` is aborted, with its reason. */
export type OpenSource = (url: string, signal: AbortSignal) => Promise<Source>;

export interface SourceOptions {
  rules: SourceRules;
  /** Folders that were opened before; those of the rules, if absent. */
  folders?: readonly ImageFolder[];
  log?: (line: string) => void;
  /** For tests. */
  http?: Partial<HttpSurroundings>;
}

const CHUNK_BYTES = 256 * 1024;

export function sourceOpener({ rules, folders, log = () => {}, http }: SourceOptions): OpenSource {
  const around: HttpSurroundings = {
    ...{ rules, log, ownAddresses, clock: realAmbient().clock },
    resolve: async (host) => (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address),
    ...http,
  };
  return async (url, signal) => {
    signal.throwIfAborted();
    const protocol = URL.parse(url)?.protocol;
    if (protocol === 'file:') {
      const { handle, stats } = await openFile(url, folders ?? (await foundFolders(rules)), rules.dataDir);
      const stream = handle.createReadStream({ signal, highWaterMark: CHUNK_BYTES });
      const failure = (thrown: unknown) => unavailable(url, reasonOf(thrown), thrown);
      return { bytes: stats.size, ...reading(stream, failure, signal) };
    }
    if (protocol !== 'https:' && protocol !== 'http:') throw notFound(url, 'use an https, http or file URL');
    const { response, failure } = await openHttp(url, around, signal);
    const announced = Number(response.headers['content-length'] ?? Number.NaN);
    return { bytes: Number.isSafeInteger(announced) ? announced : undefined, ...reading(response, failure, signal) };
  };
}

/** Folders that are there; one that is missing holds no image. */
export async function foundFolders(rules: SourceRules): Promise<ImageFolder[]> {
  const found = await Promise.all(rules.folders.map((folder) => findFolder(folder).catch(() => undefined)));
  return found.filter((folder) => folder !== undefined);
}

function reading(
  stream: Readable,
  failure: (thrown: unknown) => PlumbError,
  signal: AbortSignal,
): Pick<Source, 'chunks' | 'close'> {
  stream.on('error', () => {}); // Whoever reads hears of it; when nobody does any more, it is of no interest.
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* stream as AsyncIterable<Uint8Array>;
    } catch (thrown) {
      throw signal.aborted ? signal.reason : failure(thrown);
    }
  }
  return { chunks: chunks(), close: () => void stream.destroy() };
}
