import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntSet } from './int-set.ts';

test('is a set, whatever comes and goes', () => {
  const number = fc.oneof(fc.nat(20), fc.nat(300), fc.constantFrom(64, 128, 192, 2 ** 20, 2 ** 31 - 2));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), number), { maxLength: 400 }), (steps) => {
      const set = new IntSet();
      const model = new Set<number>();
      for (const [add, value] of steps) {
        if (add) {
          set.add(value);
          model.add(value);
        } else expect(set.delete(value)).toBe(model.delete(value));
        expect(set.has(value)).toBe(model.has(value));
        expect(set.size).toBe(model.size);
      }
      expect([...set].sort((a, b) => a - b)).toEqual([...model].sort((a, b) => a - b));
    }),
    { numRuns: 500 },
  );
});

test('is small again when it is empty again', () => {
  const set = new IntSet();
  for (let i = 0; i < 10_000; i++) set.add(i);
  expect([...set]).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  for (let i = 0; i < 10_000; i++) set.delete(i);
  expect([...set]).toEqual([]);
});
