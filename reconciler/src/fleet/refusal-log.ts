import type { Clock } from '@plumb/schemas';
import type { Log } from '../log.ts';

const MINUTE_MS = 60_000;

/** Lines about what strangers try: so many a minute, and one that counts the others. */
export class RefusalLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #perMinute: number;
  #said = 0;
  #unsaid = 0;
  #stop: (() => void) | undefined;

  constructor(log: Log, clock: Clock, perMinute: number) {
    this.#log = log;
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  warn(message: string): void {
    this.#stop ??= this.#clock.after(MINUTE_MS, () => this.#turn());
    if (this.#said < this.#perMinute) {
      this.#said++;
      this.#log('warn', message);
    } else this.#unsaid++;
  }

  close(): void {
    this.#stop?.();
  }

  #turn(): void {
    if (this.#unsaid > 0) this.#log('warn', `${this.#unsaid} more joins were refused within the last minute`);
    this.#said = 0;
    this.#unsaid = 0;
    this.#stop = undefined;
  }
}
