import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena } from './arena.ts';

test('keeps what was written last, whatever comes and goes, in little more room than it needs', () => {
  const step = fc.record({
    slot: fc.nat(60),
    fill: fc.nat(255),
    length: fc.oneof(fc.constantFrom(0, 1, 131_072, 131_073), fc.nat(30_000)),
    remove: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400 }), (steps) => {
      const arena = new Arena();
      const model = new Map<number, { fill: number; length: number }>();
      for (const { slot, fill, length, remove } of steps) {
        if (remove) {
          arena.delete(slot);
          model.delete(slot);
        } else {
          arena.set(slot, new Uint8Array(length).fill(fill));
          model.set(slot, { fill, length });
        }
      }
      let used = 0;
      for (let slot = 0; slot <= 60; slot++) {
        const kept = model.get(slot);
        expect(arena.has(slot)).toBe(kept !== undefined);
        expect(arena.get(slot) === String.fromCharCode(kept?.fill ?? 0).repeat(kept?.length ?? 0)).toBe(true);
        used += kept?.length ?? 0;
      }
      expect(arena.size).toBeLessThan(2 * used + 8_000_000);
    }),
    { numRuns: 20 },
  );
});

test('a long life with changes everywhere does not make it grow', () => {
  const arena = new Arena();
  for (let round = 0; round < 20; round++)
    for (let slot = 0; slot < 20_000; slot++)
      if (round === 0 || (slot * 7 + round) % 3 === 0) arena.set(slot, new Uint8Array(150 + round).fill(slot % 256));
  for (let slot = 0; slot < 20_000; slot++) expect(arena.get(slot).charCodeAt(7)).toBe(slot % 256);
  expect(arena.size).toBeLessThan(2 * 20_000 * 180 + 8_000_000);
});
