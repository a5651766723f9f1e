/** How far many objects have come: one line that is written over for a person, one line an object for a log. */
import { age } from '@plumb/schemas/project/columns-age.ts';
import type { Target } from './follow.ts';
import { describeManifest } from './manifests.ts';
import type { Surroundings } from './surroundings.ts';
import { printable } from './table.ts';

const CLEAR = '\r\u001b[2K';
/** Objects that are named while they are waited for. */
const NAMED = 2;

export class Progress<T extends Target> {
  readonly #surroundings: Surroundings;
  readonly #began: number;
  readonly #total: number;
  readonly #waiting = new Map<T, string>();
  readonly #word: string;
  #done = 0;

  /** `word`: what the objects become: ready, gone. */
  constructor(surroundings: Surroundings, targets: readonly T[], word: string) {
    this.#surroundings = surroundings;
    this.#began = surroundings.clock.now();
    this.#total = targets.length;
    this.#word = word;
    for (const target of targets) this.#waiting.set(target, '');
  }

  /** What a target waits for: a reason, or nothing. */
  waits(target: T, reason: string): void {
    if (this.#waiting.get(target) === reason) return;
    this.#waiting.set(target, reason);
    this.#draw();
  }

  /** A target has come to its end, as the sentence says. */
  ends(target: T, sentence: string): void {
    this.#waiting.delete(target);
    this.#done++;
    const { interactive, err } = this.#surroundings;
    err(`${interactive ? CLEAR : ''}${describeManifest(target)} ${printable(sentence)}\n`);
    this.#draw();
  }

  /** `7 of 7 ready in 4s`. */
  close(ready: number): void {
    const { interactive, err, clock } = this.#surroundings;
    err(`${interactive ? CLEAR : ''}${ready} of ${this.#total} ${this.#word} in ${age(clock.now() - this.#began)}\n`);
  }

  #draw(): void {
    if (!this.#surroundings.interactive || this.#waiting.size === 0) return;
    const named = [...this.#waiting]
      .slice(0, NAMED)
      .map(([target, reason]) => `${describeManifest(target)}${reason ? ` (${printable(reason)})` : ''}`);
    const more = this.#waiting.size > NAMED ? ', …' : '';
    this.#surroundings.err(
      `${CLEAR}${this.#done} of ${this.#total} ${this.#word}; waiting for ${named.join(', ')}${more}`,
    );
  }
}
