/**
 * Hosts that do not say what became of what they were told to make. One that is slow gets nothing new until it has answered. One that
 * did not answer in time gets nothing new for a while, however it behaves then, and for longer each time that it happens again:
 * else it would take in one instance after another, since what it is given never fills it.
 */
import { type Clock, type PlumbError, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';

export type SilenceLimits = Pick<ServerLimits, 'silentHostSeconds' | 'slowCommandSeconds'>;

interface Silence {
  /** How often it happened, less how often it has made something in time since. */
  times: number;
  until: number;
  error: PlumbError;
  stop: () => void;
}

const LONGEST_MS = 86_400_000;

export class Silences {
  readonly #clock: Clock;
  readonly #limits: SilenceLimits;
  readonly #onChange: (host: string) => void;
  readonly #silent = new Map<string, Silence>();
  /** Host → commands that it has not answered for a while. */
  readonly #slow = new Map<string, number>();

  /** `onChange`: called with a host that gets nothing new from now on, or may get it again. */
  constructor(clock: Clock, limits: SilenceLimits, onChange: (host: string) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onChange = onChange;
  }

  /** Why the host gets nothing new, because it did not answer in time; undefined when it may. */
  of(host: string): PlumbError | undefined {
    const silence = this.#silent.get(host);
    return silence && silence.until > this.#clock.now() ? silence.error : undefined;
  }

  /** Whether the host has not answered for a while, and may answer still. */
  isSlow(host: string): boolean {
    return this.#slow.has(host);
  }

  /** The host was told to make something, which takes no longer than others need. Returns what to call when it has answered. */
  begin(host: string): () => void {
    let counted = false;
    const stop = this.#clock.after(this.#limits.slowCommandSeconds * 1000, () => {
      counted = true;
      this.#countSlow(host, 1);
    });
    return () => {
      stop();
      if (counted) this.#countSlow(host, -1);
    };
  }

  /** The host did not answer within `ms` milliseconds. */
  note(host: string, ms: number): void {
    const before = this.#silent.get(host);
    // Commands that were sent together are one silence.
    if (before && before.until > this.#clock.now()) return;
    before?.stop();
    const times = (before?.times ?? 0) + 1;
    const restMs = Math.min(LONGEST_MS, this.#limits.silentHostSeconds * 1000 * 2 ** (times - 1));
    const error = retryable(
      'HostNotAnswering',
      `it did not say within ${Math.round(ms / 1000)} s what became of what it was told to make, and gets nothing new for ${Math.round(restMs / 1000)} s: look after its agent. If it is off: plumb host fence ${host} --confirmed-off; to give it something new at once: annotate its Host with a new plumb.dev/retry`,
    );
    const stop = this.#clock.after(restMs, () => this.#onChange(host));
    this.#silent.set(host, { times, until: this.#clock.now() + restMs, error, stop });
    this.#onChange(host);
  }

  /** The host has made what it was told to. */
  credit(host: string): void {
    const silence = this.#silent.get(host);
    if (silence === undefined || silence.until > this.#clock.now()) return;
    silence.times--;
    if (silence.times <= 0) this.#silent.delete(host);
  }

  /** A person gives it another try. */
  forgive(host: string): void {
    const silence = this.#silent.get(host);
    if (silence === undefined) return;
    silence.stop();
    this.#silent.delete(host);
    this.#onChange(host);
  }

  close(): void {
    for (const { stop } of this.#silent.values()) stop();
  }

  #countSlow(host: string, change: 1 | -1): void {
    const before = this.#slow.get(host) ?? 0;
    if (before + change > 0) this.#slow.set(host, before + change);
    else this.#slow.delete(host);
    if (before === 0 || before + change === 0) this.#onChange(host);
  }
}
