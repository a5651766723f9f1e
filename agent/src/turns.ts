/** Runs what is given under one key one after another, in the order in which it was given; different keys in parallel. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(key: string, run: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = before === undefined ? run() : before.then(run, run);
    this.#last.set(key, turn);
    const leave = () => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(leave, leave);
    return turn;
  }

  /** Resolves when everything that was given so far has ended, whatever came of it. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
