/** What was found at the last look at each repository. It is forgotten with the process: the next one looks anew. */
import type { Rendered } from '../../git/look.ts';
import type { OwnState } from '../own-state.ts';

export interface LastLook {
  /** When it was looked at, milliseconds since the epoch. */
  at: number;
  /** Generation of the GitSource then. */
  generation: number;
  found: Rendered | undefined;
  /** Since then the commit, or what others made of it, was compared with what is stored. */
  compared: boolean;
  /** Somebody wants it to be looked at now. */
  wanted: boolean;
}

export class GitLooks {
  readonly #ending = new AbortController();
  /** By key of the source, and by what it watches. */
  readonly #watched = new Map<string, ReadonlySet<string>>();
  readonly #watchers = new Map<string, Set<string>>();
  readonly #last = new Map<string, LastLook>();

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  of(uid: string): LastLook {
    const fresh = { at: 0, generation: 0, found: undefined, compared: false, wanted: false };
    const last = this.#last.get(uid) ?? fresh;
    this.#last.set(uid, last);
    return last;
  }

  /** The source at `key` is to be looked at when one of the objects changes. */
  watch(key: string, ids: Iterable<string>): void {
    for (const id of this.#watched.get(key) ?? []) {
      const keys = this.#watchers.get(id);
      keys?.delete(key);
      if (keys?.size === 0) this.#watchers.delete(id);
    }
    const watched = new Set(ids);
    this.#watched.set(key, watched);
    if (watched.size === 0) this.#watched.delete(key);
    for (const id of watched) {
      const keys = this.#watchers.get(id);
      if (keys) keys.add(key);
      else this.#watchers.set(id, new Set([key]));
    }
  }

  watchers(id: string): Iterable<string> {
    return this.#watchers.get(id) ?? [];
  }

  forget(uid: string): void {
    this.#last.delete(uid);
  }

  stop(): void {
    this.#ending.abort(new Error('the server is ending'));
  }
}

export const gitLooks: OwnState<GitLooks> = { name: 'looks at repositories', begin: () => new GitLooks() };
