/** The ServiceAccounts that there are: a token of one that is gone, or was made anew, is worth nothing, and what it began ends. */

export interface Account {
  readonly uid: string;
  /** Aborted when it is gone, or another one has its name. */
  readonly until: AbortSignal;
}

interface Kept extends Account {
  ending: AbortController;
}

export class ServiceAccounts {
  readonly #kept = new Map<string, Kept>();

  put(namespace: string, name: string, uid: string): void {
    const key = `${namespace}/${name}`;
    const before = this.#kept.get(key);
    if (before?.uid === uid) return;
    before?.ending.abort();
    const ending = new AbortController();
    this.#kept.set(key, { uid, until: ending.signal, ending });
  }

  remove(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    this.#kept.get(key)?.ending.abort();
    this.#kept.delete(key);
  }

  get(namespace: string, name: string): Account | undefined {
    return this.#kept.get(`${namespace}/${name}`);
  }
}
