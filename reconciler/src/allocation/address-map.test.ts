import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressMap } from './address-map.ts';

test('it finds the lowest address that is not taken, as a set would', () => {
  const start = 10 * 2 ** 24 + 2000; // a few before the end of a page
  fc.assert(
    fc.property(
      fc.array(fc.record({ take: fc.boolean(), offset: fc.nat(400), count: fc.integer({ min: 1, max: 150 }) })),
      fc.nat(450),
      (actions, from) => {
        const map = new AddressMap();
        const taken = new Set<number>();
        for (const { take, offset, count } of actions)
          for (let address = start + offset; address < start + offset + count; address++) {
            if (take) map.take(address);
            else map.free(address);
            if (take) taken.add(address);
            else taken.delete(address);
          }
        let expected = start + from;
        while (taken.has(expected)) expected++;
        expect(map.nextFree(start + from)).toBe(expected);
        expect(map.isEmpty).toBe(taken.size === 0);
      },
    ),
  );
});

test('whole pages that are taken are skipped, up to the last address there is', () => {
  const map = new AddressMap();
  for (let address = 0; address < 10_000; address++) map.take(address);
  expect(map.nextFree(0)).toBe(10_000);
  const last = 2 ** 32 - 1;
  expect(map.nextFree(last)).toBe(last);
  map.take(last);
  expect(map.nextFree(last)).toBe(last + 1);
  expect(map.nextFree(last - 1)).toBe(last - 1);
});
