/**
 * Work that serves everybody who asked for it before it began: those who ask while it runs share one more run after it.
 * For what costs the same for one change as for a hundred.
 */
export class Coalesced<T> {
  readonly #work: () => Promise<T>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<T> | undefined;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  /** Resolves to the outcome of a run that began after this call. */
  run(): Promise<T> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const run = this.#work();
      this.#running = run.catch(() => {});
      return run;
    });
    return this.#next;
  }
}
