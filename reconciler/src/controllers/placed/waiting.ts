/** Objects that hold nothing yet, failed, or are to grow: what others free or bring may be what they wait for. */
import { pluralOf } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { type Found, type Growing, isWaiting } from '../first-look.ts';
import type { OwnState } from '../own-state.ts';
import { placedOf } from './placed-kind.ts';

export const waiting: OwnState<WaitingObjects> = {
  name: 'the objects that wait for room',
  begin: (context, found) => new WaitingObjects(context, found),
};

export class WaitingObjects {
  /** By plural of the kind. */
  readonly #waiting = new Map<string, Set<string>>();
  readonly #growing: Growing;

  /** Begins with those that wait now. */
  constructor(context: Pick<Context, 'cache' | 'kinds'>, found: Pick<Found, 'waiting' | 'growing'>) {
    for (const key of found.waiting) this.#of(pluralOf(key)).add(key);
    this.#growing = found.growing;
    context.cache.onChange(({ key, kind, before, after }) => {
      if (!placedOf(context, kind) || (!before && !after)) return;
      const keys = this.#of(kind.plural);
      if (after && isWaiting(after)) keys.add(key);
      else keys.delete(key);
      this.#growing.note(before, after);
    }, 'the objects that wait');
  }

  /** Keys of all of the kind with this plural. */
  all(plural: string): Iterable<string> {
    return this.#of(plural);
  }

  /** Keys of those that are to grow on the host. */
  *on(plural: string, host: string): Generator<string> {
    for (const key of this.#growing.on(host)) if (pluralOf(key) === plural) yield key;
  }

  #of(plural: string): Set<string> {
    return this.#waiting.getOrInsertComputed(plural, () => new Set());
  }
}
