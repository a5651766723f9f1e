import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { type Holder, HolderTable } from './holder-table.ts';

const uid = fc.oneof(fc.constantFrom('a', 'b'), fc.uuid());
const ip = fc.oneof(
  fc.constantFrom('10.0.0.1', '10.0.0.2', '255.255.255.255', '0.0.0.0', '010.0.0.1', '999.0.0.1', '::1', ''),
  fc.ipV4(),
);
const mac = fc.constantFrom('02:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00', 'FE:00:00:00:00:01', 'x');
const key = fc.oneof(
  fc.tuple(uid, ip).map(([l3, address]) => keys.address(l3, address)),
  mac.map(keys.mac),
  fc.constantFrom('/alloc/other', '', keys.mac('00:00:00:00:00:00/')),
);

test('is a map, whatever comes and goes', () => {
  const step = fc.record({ put: fc.boolean(), key, holder: fc.record({ uid, revision: fc.nat(2 ** 40) }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new HolderTable();
      const model = new Map<string, Holder>();
      for (const { put, key: at, holder } of steps) {
        if (put) {
          table.set(at, holder);
          model.set(at, holder);
        } else expect(table.delete(at)).toBe(model.delete(at));
        expect(table.has(at)).toBe(model.has(at));
      }
      for (const { key: at } of steps) expect(table.get(at)).toEqual(model.get(at));
    }),
    { numRuns: 500 },
  );
});
