import { PlumbError, retryable } from '@plumb/schemas';

/** A part of the server that takes its time to load, while others serve already. */
export class Loading<T> {
  readonly #giveUp = new AbortController();
  readonly #end: Promise<T | undefined>;
  #loaded: T | undefined;

  /** Begins at once. `onFailed` is told why it cannot be loaded, unless it was given up. */
  constructor(load: (signal: AbortSignal) => Promise<T>, onFailed: (error: PlumbError) => void) {
    this.#end = load(this.#giveUp.signal).then(
      (loaded) => {
        this.#loaded = loaded;
        return loaded;
      },
      (error) => {
        if (!this.#giveUp.signal.aborted) onFailed(PlumbError.from(error, 'loading what the store holds'));
        return undefined;
      },
    );
  }

  /** What was loaded. Until then throws PlumbError `Loading` (retry). */
  get(): T {
    if (this.#loaded !== undefined) return this.#loaded;
    throw retryable('Loading', `${STILL}; what is asked for needs all of it: ask again in a few seconds`);
  }

  /** Why it is not there yet; undefined when it is. */
  get missing(): string | undefined {
    return this.#loaded === undefined ? STILL : undefined;
  }

  /** Calls `use` with what was loaded, now or when it is; never, when it cannot be or is given up before. */
  whenLoaded(use: (loaded: T) => void): void {
    void this.#end.then((loaded) => {
      if (loaded !== undefined && !this.#giveUp.signal.aborted) use(loaded);
    });
  }

  /** Gives up loading, and resolves when nothing of it runs any more: what was loaded is stopped. */
  async end(stop: (loaded: T) => Promise<void>): Promise<void> {
    this.#giveUp.abort();
    const loaded = await this.#end;
    if (loaded !== undefined) await stop(loaded);
  }
}

const STILL = 'the server was started a moment ago and still loads what its store holds';
