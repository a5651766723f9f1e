/** Who waits for something long hears at once when what it is done for changes, however many wait. */
import type { CacheChange } from '../runtime/cache.ts';
import type { Context } from './controller.ts';
import type { OwnState } from './own-state.ts';

type Listener = () => void;

export class KeyWatch {
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(cache: Context['cache']) {
    cache.onChange((change) => this.#tell(change));
  }

  /** Calls `listener` after each change of one of the objects. Returns a function that ends it. */
  on(keys: readonly string[], listener: Listener): () => void {
    const own = () => listener();
    for (const key of keys) {
      const listeners = this.#listeners.get(key) ?? new Set();
      listeners.add(own);
      this.#listeners.set(key, listeners);
    }
    return () => {
      for (const key of keys) {
        const listeners = this.#listeners.get(key);
        listeners?.delete(own);
        if (listeners?.size === 0) this.#listeners.delete(key);
      }
    };
  }

  #tell({ key }: CacheChange): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) listener();
  }
}

export const keyWatch: OwnState<KeyWatch> = {
  name: 'who waits for a change of which object',
  begin: ({ cache }) => new KeyWatch(cache),
};
