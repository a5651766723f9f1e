import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock, HostResource } from '@plumb/schemas';
import { type PlumbError, shownUrl, terminal } from '@plumb/schemas';
import type { AgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { Progress } from '../drivers/driver.ts';
import type { OpenSource, Source } from '../fetch/open-source.ts';
import { tellFullDisk } from '../host/space.ts';
import { otherChecksum, tooLarge } from './image-content.ts';

export interface FetchOptions {
  openSource: OpenSource;
  clock: Clock;
  limits: AgentLimits;
}

const MIB = 1024 ** 2;

/**
 * Copies what is at the image's URL to `path`, which must not exist, durably, and only if it has the declared sum; the sum is
 * taken here, of what is written, and not believed. Ends early when it is too large or takes too long. Throws as `openSource`,
 * `ImageTooLarge`, `ImageTooSlow`, `ChecksumMismatch` (terminal), `NoSpace` (retry), and the signal's reason.
 */
export async function fetchImage(
  { spec }: HostResource<'image'>,
  path: string,
  { openSource, clock, limits }: FetchOptions,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void = () => {},
): Promise<void> {
  const pace = new Pace(spec, clock, limits);
  const until = AbortSignal.any([signal, pace.signal]);
  const file = await open(path, 'wx', 0o600);
  let source: Source | undefined;
  try {
    source = await openSource(spec.url, until);
    if (source.bytes !== undefined && source.bytes > spec.maxBytes)
      throw tooLarge(spec, `the file has ${source.bytes} bytes`);
    pace.expect(source.bytes);
    const sha256 = await copy(spec, source, file, (bytes) => {
      pace.note(bytes);
      onProgress({ bytes, ofBytes: source?.bytes });
    });
    if (sha256 !== spec.sha256) throw otherChecksum(spec);
    await file.sync();
  } catch (thrown) {
    if (until.aborted) throw until.reason;
    tellFullDisk(path)(thrown);
  } finally {
    pace.end();
    source?.close();
    await file.close();
  }
}

async function copy(
  spec: HostResource<'image'>['spec'],
  source: Source,
  file: FileHandle,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of source.chunks) {
    bytes += chunk.length;
    if (bytes > spec.maxBytes) throw tooLarge(spec, 'the file has more bytes');
    hash.update(chunk);
    await file.writeFile(chunk);
    onBytes(bytes);
  }
  return hash.digest('hex');
}

/**
 * The time that a fetch may take: so much in any case, and more for each MiB that it is announced to have, or may have. One
 * that keeps far below the least pace ends earlier, whatever it announced.
 */
class Pace {
  readonly #spec: HostResource<'image'>['spec'];
  readonly #clock: Clock;
  readonly #limits: AgentLimits;
  readonly #began: number;
  readonly #abort = new AbortController();
  #stopLimit: () => void;
  #stopCheck: () => void;
  #bytes = 0;

  constructor(spec: HostResource<'image'>['spec'], clock: Clock, limits: AgentLimits) {
    this.#spec = spec;
    this.#clock = clock;
    this.#limits = limits;
    this.#began = clock.now();
    this.#stopLimit = this.#limitTo(spec.maxBytes);
    this.#stopCheck = this.#checkLater();
  }

  /** Aborted with `ImageTooSlow` (terminal) when the time is over. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** So many bytes are announced. */
  expect(bytes: number | undefined): void {
    if (bytes === undefined || bytes >= this.#spec.maxBytes) return;
    this.#stopLimit();
    this.#stopLimit = this.#limitTo(bytes);
  }

  /** So many bytes have come in all. */
  note(bytes: number): void {
    this.#bytes = bytes;
  }

  end(): void {
    this.#stopLimit();
    this.#stopCheck();
  }

  #limitTo(bytes: number): () => void {
    const { imageFetchBaseSeconds, imageFetchMiBPerSecond } = this.#limits;
    const seconds = imageFetchBaseSeconds + Math.ceil(bytes / MIB / imageFetchMiBPerSecond);
    const passedMs = Math.max(0, this.#clock.now() - this.#began);
    return this.#clock.after(Math.max(0, seconds * 1000 - passedMs), () => this.#giveUp(seconds));
  }

  /** After the time that each fetch has, and then again and again: the pace since the beginning. */
  #checkLater(passedSeconds = 0): () => void {
    const { imageFetchBaseSeconds, imageFetchLeastKiBPerSecond } = this.#limits;
    const seconds = passedSeconds + imageFetchBaseSeconds;
    return this.#clock.after(imageFetchBaseSeconds * 1000, () => {
      if (this.#bytes < seconds * imageFetchLeastKiBPerSecond * 1024) this.#giveUp(seconds);
      else this.#stopCheck = this.#checkLater(seconds);
    });
  }

  #giveUp(seconds: number): void {
    this.#abort.abort(tooSlow(this.#spec, seconds, this.#bytes));
  }
}

function tooSlow({ url }: HostResource<'image'>['spec'], seconds: number, bytes: number): PlumbError {
  return terminal(
    'ImageTooSlow',
    `the image at ${shownUrl(url)} was given up after ${seconds} s, in which ${bytes} bytes came: ` +
      'use a faster server, or raise the limits imageFetch… of the agent',
  );
}
