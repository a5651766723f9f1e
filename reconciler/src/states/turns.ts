/** One after the other for each name. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when what was begun for the name before has ended, whether well or not. */
  take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled: Promise<void> = mine.then(
      () => this.#end(name, settled),
      () => this.#end(name, settled),
    );
    this.#last.set(name, settled);
    return mine;
  }

  #end(name: string, ended: Promise<unknown>): void {
    if (this.#last.get(name) === ended) this.#last.delete(name);
  }
}
