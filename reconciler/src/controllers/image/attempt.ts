import { type HostResource, type Image, PlumbError } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import { makeOn } from '../converge.ts';
import { Telling } from './telling.ts';

export interface Outcome {
  attempt: Attempt;
  /** What the host says; undefined when it has the image. */
  error: PlumbError | undefined;
}

/** One host that fetches an image. */
export class Attempt {
  readonly host: string;
  /** Never rejects. */
  readonly outcome: Promise<Outcome>;
  readonly #context: Context;
  readonly #abort = new AbortController();
  readonly #telling: Telling | undefined;
  readonly #startedAt: number;
  #heardAt: number;
  #bytes = 0;

  /** `tells`: whether its progress is the one that the image shows. */
  constructor(context: Context, cached: Cached<Image>, host: string, resource: HostResource, tells: boolean) {
    this.#context = context;
    this.host = host;
    this.#startedAt = context.ambient.clock.now();
    this.#heardAt = this.#startedAt;
    this.#telling = tells ? new Telling(context, cached, host) : undefined;
    this.outcome = this.#run(cached, resource);
  }

  /** Nobody waits for it any more. */
  abort(): void {
    this.#abort.abort();
  }

  /** Resolves when nothing of it is written any more. */
  async quiet(): Promise<void> {
    await this.#telling?.end();
  }

  /** Resolves when the host has brought no byte for a while, or has taken long: another may be faster. */
  async untilSlow(): Promise<undefined> {
    const { ambient, limits } = this.#context;
    const isOver = Promise.withResolvers<void>();
    void this.outcome.then(() => isOver.resolve());
    let over = false;
    void isOver.promise.then(() => {
      over = true;
    });
    while (!over) {
      const now = ambient.clock.now();
      const slowAt = Math.min(
        this.#heardAt + limits.slowCommandSeconds * 1000,
        this.#startedAt + limits.commandSeconds * 1000,
      );
      // A wall clock may be put back: then it has been waited for.
      if (slowAt <= now || now < this.#startedAt) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = ambient.clock.after(slowAt - now, resolve);
      await Promise.race([promise, isOver.promise]);
      stop();
    }
    return undefined;
  }

  async #run(cached: Cached<Image>, resource: HostResource): Promise<Outcome> {
    const attention = {
      signal: this.#abort.signal,
      onProgress: (progress: { bytes: number; ofBytes: number | undefined }) => {
        if (progress.bytes > this.#bytes) this.#heardAt = this.#context.ambient.clock.now();
        this.#bytes = progress.bytes;
        this.#telling?.note(progress);
      },
    };
    try {
      const { uid } = cached.object.metadata;
      await makeOn(this.#context, this.host, { owner: uid, fence: cached.revision }, resource, attention);
      return { attempt: this, error: undefined };
    } catch (thrown) {
      return { attempt: this, error: PlumbError.from(thrown, `fetching ${cached.key}`) };
    } finally {
      await this.quiet();
    }
  }
}
