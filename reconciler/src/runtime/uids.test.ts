import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Uids } from './uids.ts';

test('gives back what was set last', () => {
  const text = fc.oneof(
    fc.uuid(),
    fc.uuid().map((uid) => uid.toUpperCase()),
    fc.string(),
    fc.constantFrom('u1', '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-0000-0000-000000000000'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(100), text)), (steps) => {
      const uids = new Uids();
      const model = new Map<number, string>();
      for (const [slot, uid] of steps) {
        uids.set(slot, uid);
        model.set(slot, uid);
      }
      for (const [slot, uid] of model) expect(uids.get(slot)).toBe(uid);
      for (const [slot, uid] of model)
        for (const other of model.values()) expect(uids.is(slot, other)).toBe(other === uid);
    }),
  );
});
