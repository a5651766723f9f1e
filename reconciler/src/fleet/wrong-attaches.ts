/**
 * Attaches with credentials that are not of their hosts, by the host that opened the stream. An agent for many hosts sends some when the
 * store was put back; one that goes on with it fills the room in which others wait.
 */
import type { Clock } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { Bucket } from '../runtime/bucket.ts';

const MINUTE_MS = 60_000;

export class WrongAttaches {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #barMs: number;
  /** Those only that have sent some of late; the latest last. */
  readonly #byOpener = new Map<string, { left: Bucket; at: number; barredUntil: number }>();

  constructor(
    clock: Clock,
    { wrongAttachesPerMinute, brokenBoundSeconds }: Pick<ServerLimits, 'wrongAttachesPerMinute' | 'brokenBoundSeconds'>,
  ) {
    this.#clock = clock;
    this.#most = wrongAttachesPerMinute;
    this.#barMs = brokenBoundSeconds * 1000;
  }

  /** One more of this host. True when there are more than may be: from then on it {@link isBarred} for a while. */
  note(opener: string): boolean {
    const now = this.#clock.now();
    const perMs = this.#most / MINUTE_MS;
    const { left = new Bucket(this.#most, now), barredUntil = 0 } = this.#byOpener.get(opener) ?? {};
    left.take(1, now, perMs, this.#most);
    const many = left.wait(0, now, perMs, this.#most) > 0;
    this.#byOpener.delete(opener);
    this.#byOpener.set(opener, { left, at: now, barredUntil: many ? now + this.#barMs : barredUntil });
    for (const [host, { at }] of this.#byOpener) {
      if (now - at < MINUTE_MS + this.#barMs) break;
      this.#byOpener.delete(host);
    }
    return many;
  }

  /** Whether no stream is opened for the host. */
  isBarred(opener: string): boolean {
    const until = this.#byOpener.get(opener)?.barredUntil ?? 0;
    return until > this.#clock.now();
  }
}
