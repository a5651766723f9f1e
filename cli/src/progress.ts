/** How far many objects have come: a few are named one by one, of more only those that failed, and the rest is counted. */
import { age } from '@plumb/schemas/project/columns-age.ts';
import type { Target } from './follow.ts';
import { tellInterrupted } from './interrupt.ts';
import { describeManifest } from './manifests.ts';
import { Pace, rate } from './pace.ts';
import { StatusLine } from './status-line.ts';
import type { Surroundings } from './surroundings.ts';
import { printable } from './table.ts';

/** Objects that are told one by one. */
const FEW = 10;
/** Objects that are named while they are waited for; of more than that their reasons. */
const NAMED = 2;

export class Progress<T extends Target> {
  readonly #surroundings: Surroundings;
  readonly #began: number;
  readonly #total: number;
  readonly #waiting = new Map<T, string>();
  readonly #word: string;
  readonly #pace: Pace;
  readonly #line: StatusLine;
  #done = 0;
  #failed = 0;

  /** `word`: what the objects become: sent, ready, gone. To be disposed of at the end. */
  constructor(surroundings: Surroundings, targets: readonly T[], word: string) {
    this.#surroundings = surroundings;
    this.#began = surroundings.clock.now();
    this.#total = targets.length;
    this.#word = word;
    for (const target of targets) this.#waiting.set(target, '');
    this.#pace = new Pace(surroundings.clock);
    this.#line = new StatusLine(surroundings, () => this.#text());
  }

  /** What a target waits for: a reason, or nothing. */
  waits(target: T, reason: string, _message?: string): void {
    if (this.#waiting.get(target) === reason) return;
    this.#waiting.set(target, reason);
    this.#line.changed();
  }

  /** A target has become what it was to become. */
  becomes(target: T): void {
    if (this.#total <= FEW) this.#tells(target, this.#word);
    else this.#count(target);
  }

  /** A target has come to its end otherwise, as the sentence says. */
  fails(target: T, sentence: string): void {
    if (this.#waiting.has(target)) this.#failed++;
    this.#tells(target, sentence);
  }

  #tells(target: T, sentence: string): void {
    const line = `${describeManifest(target)} ${printable(sentence)}\n`;
    this.ends(target, () => this.#surroundings.err(line));
  }

  /** A target has come to its end, which `write` tells. */
  ends(target: T, write: () => void): void {
    this.#count(target);
    this.#line.aside(write);
  }

  /** `500 of 500 ready in 12s, 41/s`. */
  close(ready: number): void {
    const { err, clock } = this.#surroundings;
    const ms = clock.now() - this.#began;
    const pace = this.#total > FEW && ready > 0 && ms >= 1000 ? `, ${rate((ready * 1000) / ms)}` : '';
    this.#line.aside(() => err(`${ready} of ${this.#total} ${this.#word} in ${age(ms)}${pace}\n`));
    this[Symbol.dispose]();
  }

  /** Says where things stand when a person ends it, and returns the exit code. */
  interrupted(sentences: string): number {
    this[Symbol.dispose]();
    return tellInterrupted(this.#surroundings, sentences);
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }

  #count(target: T): void {
    if (this.#waiting.delete(target)) this.#done++;
    this.#pace.note(this.#done);
    this.#line.changed();
  }

  #text(): string {
    if (this.#waiting.size === 0) return '';
    const pace = this.#total > FEW ? this.#pace.tell(this.#done, this.#total) : undefined;
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    const count = `${this.#done - this.#failed} of ${this.#total} ${this.#word}${failed}${pace === undefined ? '' : `, ${pace}`}`;
    const why = this.#total > FEW && this.#waiting.size > NAMED ? this.#reasons() : this.#names();
    return why === '' ? count : `${count}; ${why}`;
  }

  /** `waiting for instance/web-0 (ImagePulling), …`. */
  #names(): string {
    const named = [...this.#waiting]
      .slice(0, NAMED)
      .map(([target, reason]) => `${describeManifest(target)}${reason ? ` (${printable(reason)})` : ''}`);
    return `waiting for ${named.join(', ')}${this.#waiting.size > NAMED ? ', …' : ''}`;
  }

  /** `300 NoCapacity, 20 ImagePulling`: what most wait for. */
  #reasons(): string {
    const counts = new Map<string, number>();
    for (const reason of this.#waiting.values()) if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    const most = [...counts].sort(([, a], [, b]) => b - a);
    const named = most.slice(0, NAMED).map(([reason, count]) => `${count} ${printable(reason)}`);
    return named.join(', ') + (most.length > NAMED ? ', …' : '');
  }
}
