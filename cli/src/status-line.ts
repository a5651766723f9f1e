/** A line that says how far something has come: written over on a terminal, said anew every few seconds in a log. */
import type { Surroundings } from './surroundings.ts';

const CLEAR = '\r\u001b[2K';
/** What is over sooner needs no line. Milliseconds, as the others. */
const FIRST_MS = 300;
/** On a terminal: between two drawings at least, and at most. */
const LEAST_MS = 100;
const MOST_MS = 1_000;
/** In a log: between two lines. */
const LOG_MS = 5_000;
/** Where the terminal does not say how wide it is, or says 0. */
const COLUMNS = 80;

export class StatusLine {
  readonly #surroundings: Surroundings;
  readonly #text: () => string;
  #drawn = false;
  #drawnAt: number;
  #stopTimer: () => void = () => {};
  /** When the timer is due. */
  #due = Number.POSITIVE_INFINITY;

  /** `text`: what the line says now, without control characters; empty: nothing. */
  constructor(surroundings: Surroundings, text: () => string) {
    this.#surroundings = surroundings;
    this.#text = text;
    const { interactive, clock } = surroundings;
    this.#drawnAt = clock.now() - LEAST_MS + FIRST_MS;
    this.#timer(interactive ? MOST_MS : LOG_MS);
  }

  /** What the line says may have changed. */
  changed(): void {
    const { interactive, clock } = this.#surroundings;
    if (!interactive) return;
    const wait = this.#drawnAt + LEAST_MS - clock.now();
    if (wait <= 0) this.#draw();
    else this.#timer(wait);
  }

  /** Lets something else be written, which stays. */
  aside(write: () => void): void {
    this.#clear();
    write();
    this.changed();
  }

  [Symbol.dispose](): void {
    this.#stopTimer();
    this.#clear();
  }

  #draw(): void {
    const { interactive, err, clock, columns } = this.#surroundings;
    const text = this.#text();
    this.#drawnAt = clock.now();
    if (interactive) {
      if (text !== '') err(`${CLEAR}${text.slice(0, (columns?.() || COLUMNS) - 1)}`);
      else this.#clear();
      this.#drawn = text !== '';
    } else if (text !== '') err(`${text}\n`);
    this.#due = Number.POSITIVE_INFINITY;
    this.#timer(interactive ? MOST_MS : LOG_MS);
  }

  /** One that is due sooner stays. */
  #timer(ms: number): void {
    const { clock } = this.#surroundings;
    if (this.#due <= clock.now() + ms) return;
    this.#stopTimer();
    this.#due = clock.now() + ms;
    this.#stopTimer = clock.after(ms, () => this.#draw());
  }

  #clear(): void {
    if (this.#drawn) this.#surroundings.err(CLEAR);
    this.#drawn = false;
  }
}
