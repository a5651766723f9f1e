import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlotIndex } from './slot-index.ts';

test('finds every slot by its text, whatever comes and goes', () => {
  const step = fc.record({ add: fc.boolean(), slot: fc.nat(200), text: fc.string({ maxLength: 2 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const texts = new Map<number, string>();
      const index = new SlotIndex((slot, text) => texts.get(slot) === text);
      for (const { add, slot, text } of steps) {
        if (add && !texts.has(slot)) {
          texts.set(slot, text);
          index.add(slot, text);
        } else if (!add && texts.has(slot)) {
          index.remove(slot);
          texts.delete(slot);
        }
        const found = index.find(text);
        expect(found < 0 ? undefined : texts.get(found)).toBe([...texts.values()].includes(text) ? text : undefined);
      }
      for (const text of texts.values()) expect(texts.get(index.find(text))).toBe(text);
    }),
    { numRuns: 500 },
  );
});
