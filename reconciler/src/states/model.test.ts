import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryStore } from '../store/memory.ts';
import { ANNA, BERT, makeObject, PROD, reads, statesOver, stateText, wantedLock, writes } from './testing/state.ts';

const KEPT = 3;
const users = [ANNA, BERT];
const did = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => false,
  );

test('any order of reads, writes, locks and rollbacks does what a list of versions and one lock would do', async () => {
  const who = fc.constantFrom(0, 1);
  const id = fc.constantFrom('', 'A', 'B');
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), who, id, serial: fc.nat(8) }),
    fc.record({ do: fc.constant('lock' as const), who, id: fc.constantFrom('A', 'B'), serial: fc.constant(0) }),
    fc.record({ do: fc.constant('unlock' as const), who, id, serial: fc.constant(0) }),
    fc.record({ do: fc.constant('rollback' as const), who, id, serial: fc.nat(8) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = new MemoryStore();
      await makeObject(store, PROD);
      const states = statesOver(store, { stateVersions: KEPT });
      let versions: { serial: number; filler: string }[] = [];
      let lock: { id: string; who: number } | undefined;
      for (const [n, { do: verb, who, id, serial }] of steps.entries()) {
        const user = users[who]!;
        const newest = versions[0];
        if (verb === 'write') {
          const may = lock ? lock.id === id && lock.who === who : id === '';
          const expected = may && (newest === undefined || serial > newest.serial);
          const filler = `${n}`;
          expect(await did(writes(states, stateText(serial, { filler }), { who: user, lockId: id }))).toBe(expected);
          if (expected) versions = [{ serial, filler }, ...versions].slice(0, KEPT);
        } else if (verb === 'lock') {
          const expected = lock === undefined || (lock.id === id && lock.who === who);
          expect(await did(states.lock(PROD, wantedLock(id), user))).toBe(expected);
          if (expected) lock = { id, who };
        } else if (verb === 'unlock') {
          const expected = lock === undefined || ((id === '' || id === lock.id) && lock.who === who);
          const refuse = () => {
            throw new Error('no right');
          };
          expect(await did(states.unlock(PROD, id === '' ? undefined : id, user, refuse))).toBe(expected);
          if (expected) lock = undefined;
        } else {
          const found = versions.find((one) => one.serial === serial);
          const expected = lock === undefined && found !== undefined && found !== newest;
          expect(await did(states.rollback(PROD, serial, user))).toBe(expected);
          if (expected) versions = [{ ...found!, serial: newest!.serial + 1 }, ...versions].slice(0, KEPT);
        }
        const [now] = versions;
        if (now) expect(await reads(states)).toBe(stateText(now.serial, { filler: now.filler }));
        expect((await states.standing(PROD)).head.versions.map((one) => one.serial)).toEqual(
          versions.map((one) => one.serial),
        );
      }
    }),
    { numRuns: 40 },
  );
});
