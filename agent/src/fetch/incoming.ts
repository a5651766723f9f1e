/** One fetch as the agent takes it from the fetcher: at most a window of it waits here, and no more is asked for. */
import type { PlumbError } from '@plumb/schemas/meta/error.ts';
import { unavailable } from './failures.ts';
import { WINDOW_BYTES } from './frames.ts';
import type { Source } from './open-source.ts';

export interface IncomingEvents {
  /** So many bytes were taken from the window. */
  taken(bytes: number): void;
  /** Nothing is expected any more; called once. `complete`: the fetcher has said its last. */
  ended(complete: boolean): void;
}

export class Incoming {
  /** Resolves when the fetcher has opened the source. */
  readonly opened: Promise<Source>;
  readonly #url: string;
  readonly #events: IncomingEvents;
  readonly #signal: AbortSignal;
  #resolve: (source: Source) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #outcome: { failure?: unknown } | undefined;
  #wake = () => {};

  constructor(url: string, signal: AbortSignal, events: IncomingEvents) {
    this.#url = url;
    this.#events = events;
    this.#signal = signal;
    this.opened = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', this.#aborted, { once: true });
    if (signal.aborted) this.#aborted();
  }

  open(announced: string): void {
    const bytes = announced === '' ? undefined : Number(announced);
    if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= 0)) this.fail(undefined);
    this.#resolve({ bytes, chunks: this.#read(), close: () => this.#settle({ failure: this.#broken() }, false) });
  }

  /** Throws an Error when more came than was asked for. */
  take(chunk: Buffer): void {
    if (this.#outcome !== undefined) return;
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > WINDOW_BYTES) throw new Error('more than it was asked for');
    this.#chunks.push(chunk);
    this.#wake();
  }

  end(): void {
    this.#settle({}, true);
  }

  /** `undefined`: the fetcher broke, or said what it may not say. */
  fail(failure: PlumbError | undefined): void {
    this.#settle({ failure: failure ?? this.#broken() }, true);
  }

  readonly #aborted = () => this.#settle({ failure: this.#signal.reason }, false);

  #settle(outcome: { failure?: unknown }, complete: boolean): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#signal.removeEventListener('abort', this.#aborted);
    if (outcome.failure !== undefined) this.#reject(outcome.failure);
    this.#wake();
    this.#events.ended(complete);
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const failure = this.#outcome?.failure;
      if (failure !== undefined) throw failure;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#waitingBytes -= chunk.length;
        if (this.#outcome === undefined) this.#events.taken(chunk.length);
      } else if (this.#outcome !== undefined) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #broken(): PlumbError {
    return unavailable(this.#url, 'the process that fetches images ended; its agent says more in its log');
  }
}
