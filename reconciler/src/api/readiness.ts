/** Whether the server can do its work: its store takes a write. */
import { PlumbError } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { ApiContext } from './call.ts';

/** An answer is good for so long, so that who asks without a token cannot make the store write at will. */
const GOOD_FOR_MS = 5_000;

export class Readiness {
  readonly #context: ApiContext;
  readonly #store: Store;
  readonly #more: () => string | undefined;
  #asked: { at: number; answer: Promise<string | undefined> } | undefined;

  /** `more`: why the rest of the server is not ready, or undefined when it is. */
  constructor(context: ApiContext, store: Store, more: () => string | undefined = () => undefined) {
    this.#context = context;
    this.#store = store;
    this.#more = more;
  }

  /** Why the server is not ready; undefined when it is. */
  async problem(): Promise<string | undefined> {
    const now = this.#context.ambient.clock.now();
    if (!this.#asked || now - this.#asked.at >= GOOD_FOR_MS) this.#asked = { at: now, answer: this.#write(now) };
    return (await this.#asked.answer) ?? this.#more();
  }

  async #write(now: number): Promise<string | undefined> {
    try {
      const op = { type: 'put', key: keys.control('ready'), value: String(now) } as const;
      await this.#store.commit({ preconditions: [], ops: [op] });
      return undefined;
    } catch (error) {
      return PlumbError.from(error, 'the store').message;
    }
  }
}
