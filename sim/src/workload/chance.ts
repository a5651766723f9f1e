/** Arbitraries by their chances, as the lists of what may happen are written. */
import fc from 'fast-check';

/** One of them, each with its weight. */
export function weighted<T>(...choices: (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

/** True with this many percent. */
export function percent(chance: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 0, max: 99 }).map((n) => n < chance);
}

type Fields = Record<string, unknown>;

/** The fields of `always`, and each of `sometimes` with its percent. */
export function fields(
  always: Record<string, fc.Arbitrary<unknown>>,
  sometimes: Record<string, readonly [number, fc.Arbitrary<unknown>]> = {},
): fc.Arbitrary<Fields> {
  const optional = Object.entries(sometimes).map(([name, [chance, arbitrary]]) =>
    fc.tuple(percent(chance), arbitrary).map(([is, value]): Fields => (is ? { [name]: value } : {})),
  );
  return fc.tuple(fc.record(always), ...optional).map((parts) => Object.assign({}, ...parts) as Fields);
}
