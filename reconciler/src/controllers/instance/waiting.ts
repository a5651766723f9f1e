/** Instances that hold nothing yet, failed, or are to grow: what others free or bring may be what they wait for. */
import type { Context } from '../controller.ts';
import { type Found, type Growing, isWaiting } from '../first-look.ts';
import type { OwnState } from '../own-state.ts';

export const waiting: OwnState<WaitingInstances> = {
  name: 'the instances that wait for room',
  begin: (context, found) => new WaitingInstances(context, found),
};

export class WaitingInstances {
  readonly #waiting: Set<string>;
  readonly #growing: Growing;

  /** Begins with those that wait now. */
  constructor({ cache }: Pick<Context, 'cache'>, found: Pick<Found, 'waiting' | 'growing'>) {
    this.#waiting = found.waiting;
    this.#growing = found.growing;
    cache.onChange(({ key, kind, before, after }) => {
      if (kind.kind !== 'Instance' || (!before && !after)) return;
      if (after && isWaiting(after)) this.#waiting.add(key);
      else this.#waiting.delete(key);
      this.#growing.note(before, after);
    }, 'the instances that wait');
  }

  /** Keys of all. */
  all(): Iterable<string> {
    return this.#waiting;
  }

  /** Keys of those that are to grow on the host. */
  on(host: string): Iterable<string> {
    return this.#growing.on(host);
  }
}
