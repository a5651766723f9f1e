/** The tree of {@link treeLines} on a terminal, drawn over itself until all have come to their end. */

import { age } from '@plumb/schemas/project/columns-age.ts';
import type { Target } from './follow.ts';
import { tellInterrupted } from './interrupt.ts';
import { describeManifest } from './manifests.ts';
import { Pace } from './pace.ts';
import type { Surroundings } from './surroundings.ts';
import { printable } from './table.ts';
import { type Leaf, type Mark, treeLines } from './tree.ts';

/** Between two drawings at least, and at most. Milliseconds. */
const LEAST_MS = 100;
const MOST_MS = 1_000;
/** Where the terminal does not say. */
const COLUMNS = 80;
const ROWS = 24;

export class LiveTree<T extends Target> {
  readonly #surroundings: Surroundings;
  readonly #leaves = new Map<T, Leaf>();
  readonly #began: number;
  readonly #pace: Pace;
  readonly #failures: string[] = [];
  #drawn = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #stopTimer: () => void = () => {};
  #closed = false;
  readonly #owned = new DisposableStack();

  /** To be disposed of at the end. */
  constructor(surroundings: Surroundings, targets: readonly T[]) {
    this.#surroundings = surroundings;
    this.#began = surroundings.clock.now();
    this.#pace = new Pace(surroundings.clock);
    for (const target of targets) this.#leaves.set(target, { target, mark: 'waits', said: '', began: this.#began });
    this.#draw();
  }

  waits(target: T, reason: string, message = ''): void {
    this.#set(target, { reason, said: message === '' ? reason : `${reason}: ${message}` });
  }

  /** Disposed of with the tree. */
  owns(one: Disposable): void {
    this.#owned.use(one);
  }

  /** What is done for it now; undefined: nothing is known of that. */
  does(target: T, step: string | undefined): void {
    if (this.#leaves.get(target)?.mark === 'waits') this.#set(target, { step });
  }

  becomes(target: T): void {
    this.#ends(target, 'ready', 'ready');
  }

  fails(target: T, sentence: string): void {
    this.#ends(target, 'failed', sentence);
    // A row may be too short for it.
    this.#failures.push(`${describeManifest(target)} ${printable(sentence)}\n`);
  }

  /** The tree stays as it is then, with every failure in full below it. */
  close(ready: number): void {
    const { err, clock } = this.#surroundings;
    this.#draw();
    this[Symbol.dispose]();
    for (const failure of this.#failures) err(failure);
    err(`${ready} of ${this.#leaves.size} ready in ${age(clock.now() - this.#began)}\n`);
  }

  interrupted(sentences: string): number {
    this.#draw();
    this[Symbol.dispose]();
    return tellInterrupted(this.#surroundings, sentences);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#stopTimer();
    this.#owned.dispose();
  }

  #ends(target: T, mark: Mark, said: string): void {
    this.#set(target, { mark, said, step: undefined, ended: this.#surroundings.clock.now() });
  }

  #set(target: T, change: Partial<Leaf>): void {
    const leaf = this.#leaves.get(target);
    if (!leaf || this.#closed) return;
    this.#leaves.set(target, { ...leaf, ...change });
    this.#pace.note(this.#count('ready') + this.#count('failed'));
    const wait = this.#drawnAt + LEAST_MS - this.#surroundings.clock.now();
    if (wait <= 0) this.#draw();
    else this.#timer(wait);
  }

  #count(mark: Mark): number {
    let count = 0;
    for (const leaf of this.#leaves.values()) if (leaf.mark === mark) count++;
    return count;
  }

  #draw(): void {
    if (this.#closed) return;
    const { clock, err, columns, rows } = this.#surroundings;
    const size = { columns: columns?.() || COLUMNS, rows: rows?.() || ROWS };
    const lines = treeLines([...this.#leaves.values()], this.#head(), size, clock.now());
    const up = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r`;
    // Each line clears what stood there before, and the last one what stood below: nothing flickers.
    err(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    this.#drawn = lines.length;
    this.#drawnAt = clock.now();
    this.#timer(MOST_MS);
  }

  #head(): string {
    const [ready, failed] = [this.#count('ready'), this.#count('failed')];
    const pace = this.#leaves.size > 10 ? this.#pace.tell(ready + failed, this.#leaves.size) : undefined;
    const more = `${failed > 0 ? `, ${failed} failed` : ''}${pace === undefined ? '' : `, ${pace}`}`;
    return `${ready} of ${this.#leaves.size} ready${more}, ${age(this.#surroundings.clock.now() - this.#began)}`;
  }

  #timer(ms: number): void {
    this.#stopTimer();
    this.#stopTimer = this.#surroundings.clock.after(ms, () => this.#draw());
  }
}
