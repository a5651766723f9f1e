import { randomBytes } from 'node:crypto';
import { PlumbError } from '@plumb/schemas';
import { describe, expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { putBackOp } from '../store/put-back.ts';
import { KeyRing } from '../store/sealed/key-ring.ts';
import { SealedStore } from '../store/sealed/sealed-store.ts';
import type { Batch } from '../store/store.ts';
import { objectKey } from './standing.ts';
import {
  ANNA,
  BERT,
  LINEAGE,
  makeObject,
  PROD,
  reads,
  statesOver,
  stateText,
  wantedLock,
  writes,
} from './testing/state.ts';

const failure = (work: Promise<unknown>): Promise<PlumbError> =>
  work.then(
    () => new PlumbError({ reason: 'NoFailure', message: 'it succeeded', retry: 'terminal' }),
    (error: PlumbError) => error,
  );

async function begun() {
  const store = new MemoryStore();
  await makeObject(store, PROD);
  return { store, states: statesOver(store) };
}

const partsOf = async (store: MemoryStore) => (await store.list(keys.stateParts)).entries;

/** Compresses badly, so that it takes several parts. */
const large = (serial: number, bytes = 700_000) => stateText(serial, { filler: randomBytes(bytes).toString('base64') });

describe('reading and writing', () => {
  test('a state that nothing was written to is an empty one with a lineage, never nothing', async () => {
    const { states } = await begun();
    expect(JSON.parse(await reads(states))).toMatchObject({
      version: 4,
      serial: 0,
      lineage: 'uid-prod',
      resources: [],
    });
  });

  test('what was written is read, byte for byte, whatever its size', async () => {
    const { states } = await begun();
    const texts = [stateText(1), large(2), `  ${stateText(3)}\n`, stateText(4, { resources: 5000, filler: 'ä\\"' })];
    for (const text of texts) {
      await writes(states, text);
      expect(await reads(states)).toBe(text);
    }
  });

  test('an older serial, the same one with other content, and another lineage are refused; the same once more is taken', async () => {
    const { states } = await begun();
    await writes(states, stateText(5));
    expect(await failure(writes(states, stateText(4)))).toMatchObject({ reason: 'Conflict' });
    expect(await failure(writes(states, stateText(5, { filler: 'x' })))).toMatchObject({ reason: 'Conflict' });
    expect(await failure(writes(states, stateText(6, { lineage: 'other' })))).toMatchObject({ reason: 'Conflict' });
    const before = (await states.standing(PROD)).headRevision;
    await writes(states, stateText(5));
    expect((await states.standing(PROD)).headRevision).toBe(before);
    expect(await reads(states)).toBe(stateText(5));
  });

  test('the last versions are kept, as many as the limit says and as few bytes, and nothing remains of others', async () => {
    const store = new MemoryStore();
    await makeObject(store, PROD);
    const states = statesOver(store, { stateVersions: 3, stateKeptBytes: 2_000_000 });
    for (let serial = 1; serial <= 6; serial++) await writes(states, stateText(serial));
    expect((await states.standing(PROD)).head.versions.map((one) => one.serial)).toEqual([6, 5, 4]);
    expect(await partsOf(store)).toHaveLength(3);
    await writes(states, large(7, 900_000));
    await writes(states, large(8, 900_000));
    await writes(states, large(9, 900_000));
    expect((await states.standing(PROD)).head.versions.map((one) => one.serial)).toEqual([9, 8]);
    const { versions, remains } = (await states.standing(PROD)).head;
    expect(remains).toBeUndefined();
    expect(await partsOf(store)).toHaveLength(versions.reduce((sum, { parts }) => sum + parts, 0));
  });

  test('a version of very many parts is removed as well', async () => {
    const store = new MemoryStore();
    await makeObject(store, PROD);
    const states = statesOver(store, { stateVersions: 2 });
    await writes(states, large(1, 6 << 20));
    expect((await states.standing(PROD)).head.versions[0]!.parts).toBeGreaterThan(20);
    for (let serial = 2; serial <= 4; serial++) await writes(states, large(serial, 1000));
    expect(await reads(states)).toContain('"serial":4');
    expect((await states.standing(PROD)).head.versions).toHaveLength(2);
    expect(await partsOf(store)).toHaveLength(2);
  });

  test('what an operator or a tool sees of the object says everything but the content', async () => {
    const { store, states } = await begun();
    await states.lock(PROD, wantedLock('L1'), ANNA);
    await writes(states, stateText(7, { filler: 'TOP-SECRET', resources: 3 }), { lockId: 'L1' });
    const { object } = await states.standing(PROD);
    expect(object.status).toMatchObject({
      ...{ serial: 7, lineage: LINEAGE, resources: 3, terraformVersion: '1.11.4', writtenBy: 'anna' },
      lock: { id: 'L1', who: 'anna@desk', user: 'anna', address: '192.0.2.1' },
      versions: [{ serial: 7 }],
    });
    const { entries } = await store.list('/');
    expect(JSON.stringify(entries)).not.toContain('TOP-SECRET');
  });

  test('everything of it lies encrypted, and no record of it is larger than 512 KiB', async () => {
    const disk = new MemoryStore();
    const store = new SealedStore(disk, KeyRing.parse(KeyRing.make(), 'the file'));
    await makeObject(store, PROD);
    const states = statesOver(store);
    const text = large(1, 2_000_000);
    await writes(states, text);
    expect(await reads(states)).toBe(text);
    const lying = [...(await disk.list('/terraform-states/')).entries, ...(await disk.list(keys.stateParts)).entries];
    expect(lying.length).toBeGreaterThan(5);
    for (const { value } of lying) {
      expect(value).toMatch(/^sealed:1:/);
      expect(value.length).toBeLessThanOrEqual(512 * 1024);
    }
  });

  test('who loads or follows everything is not given what is in states', async () => {
    const { store, states } = await begun();
    await writes(states, large(1));
    expect((await store.list('/')).entries.some(({ value }) => value.length > 20_000)).toBe(false);
  });
});

describe('the lock', () => {
  test('a second one is told who has it, and writes nothing', async () => {
    const { states } = await begun();
    await states.lock(PROD, wantedLock('L1'), ANNA);
    await states.lock(PROD, wantedLock('L1'), ANNA);
    const refused = await failure(states.lock(PROD, wantedLock('L2'), BERT));
    expect(refused).toMatchObject({ reason: 'Locked', lock: { ID: 'L1', Who: 'anna@desk', Path: 'default/prod' } });
    expect(refused.message).toContain('user anna from 192.0.2.1');
    for (const lockId of ['', 'L2'])
      expect(await failure(writes(states, stateText(1), { who: BERT, lockId }))).toMatchObject({ reason: 'Locked' });
    // The ID is shown to everybody who is refused: it is no secret.
    expect(await failure(writes(states, stateText(1), { who: BERT, lockId: 'L1' }))).toMatchObject({
      reason: 'Locked',
    });
    await writes(states, stateText(1), { lockId: 'L1' });
    expect(await reads(states)).toBe(stateText(1));
  });

  test('it never ends by time', async () => {
    const { FakeClock } = await import('../runtime/fake-clock.ts');
    const store = new MemoryStore();
    await makeObject(store, PROD);
    const clock = new FakeClock(1e12);
    const states = statesOver(store, {}, clock);
    await states.lock(PROD, wantedLock('L1'), ANNA);
    clock.advance(400 * 86_400_000);
    expect(await failure(states.lock(PROD, wantedLock('L2'), BERT))).toMatchObject({ reason: 'Locked' });
    // Nor with the process.
    expect(await failure(statesOver(store, {}, clock).lock(PROD, wantedLock('L2'), BERT))).toMatchObject({
      reason: 'Locked',
    });
  });

  test('its holder gives it back, with its ID or with nothing; another one must be allowed to, and know the ID or say nothing', async () => {
    const { states } = await begun();
    const never = () => {
      throw new PlumbError({ reason: 'Forbidden', message: 'no', retry: 'terminal' });
    };
    await states.lock(PROD, wantedLock('L1'), ANNA);
    expect(await failure(states.unlock(PROD, 'L2', ANNA, never))).toMatchObject({ reason: 'Locked' });
    expect(await failure(states.unlock(PROD, undefined, BERT, never))).toMatchObject({ reason: 'Forbidden' });
    expect(await failure(states.unlock(PROD, 'L1', BERT, never))).toMatchObject({ reason: 'Forbidden' });
    await states.unlock(PROD, undefined, ANNA, never);
    await states.lock(PROD, wantedLock('L3'), ANNA);
    await states.unlock(PROD, 'L3', ANNA, never);
    await states.lock(PROD, wantedLock('L4'), ANNA);
    await states.unlock(PROD, undefined, BERT, () => {});
    // Whose lock was taken away is told so when he writes.
    expect(await failure(writes(states, stateText(1), { lockId: 'L4' }))).toMatchObject({ reason: 'Conflict' });
  });
});

describe('going back', () => {
  test('an earlier version becomes the newest, under a serial that Terraform takes, and is the same otherwise', async () => {
    const { states } = await begun();
    const exact = stateText(2).replace('"input":""', '"input":12345678901234567890.10');
    for (const text of [stateText(1), exact, stateText(9)]) await writes(states, text);
    expect(await states.rollback(PROD, 2, ANNA)).toBe(10);
    expect(await reads(states)).toBe(exact.replace('"serial":2', '"serial":10'));
    expect(await failure(states.rollback(PROD, 4, ANNA))).toMatchObject({ reason: 'NotFound' });
    expect(await failure(states.rollback(PROD, 10, ANNA))).toMatchObject({ reason: 'Conflict' });
    await states.lock(PROD, wantedLock('L1'), ANNA);
    expect(await failure(states.rollback(PROD, 1, ANNA))).toMatchObject({ reason: 'Locked' });
  });

  test('a damaged or missing part is told and never given out; an earlier version helps', async () => {
    const { store, states } = await begun();
    await writes(states, stateText(1));
    await writes(states, stateText(2));
    const { id } = (await states.standing(PROD)).head.versions[0]!;
    const key = keys.statePart('default', 'prod', id, 0);
    const { value } = (await store.get(key))!;
    for (const op of [
      { type: 'put' as const, key, value: `${value.slice(0, 8)}AAAA${value.slice(12)}` },
      { type: 'put' as const, key, value: '' },
      { type: 'delete' as const, key },
    ]) {
      await store.commit({ preconditions: [], ops: [op] });
      expect(await failure(states.read(PROD))).toMatchObject({ reason: 'StateDamaged', retry: 'retry' });
    }
    await states.rollback(PROD, 1, ANNA);
    expect(await reads(states)).toBe(stateText(1).replace('"serial":1', '"serial":3'));
  });

  test('a head that is missing or unreadable is no empty state', async () => {
    const { store, states } = await begun();
    await writes(states, stateText(1));
    const key = keys.stateHead('default', 'prod');
    for (const op of [
      { type: 'put' as const, key, value: '{"format":2}' },
      { type: 'delete' as const, key },
    ]) {
      await store.commit({ preconditions: [], ops: [op] });
      for (const work of [reads(states), writes(states, stateText(2)), states.lock(PROD, wantedLock('L'), ANNA)])
        expect(await failure(work)).toMatchObject({ reason: 'StateDamaged' });
    }
  });
});

describe('a name that ever existed', () => {
  const mark = (store: MemoryStore) => makeObject(store, PROD, { deletionTimestamp: '2001-09-09T01:46:40Z' });

  test('is never empty again by itself: not while it is deleted, not after, not when it was made anew', async () => {
    const { store, states } = await begun();
    await writes(states, stateText(3));
    await mark(store);
    const locked = async (word: string) => {
      const refused = await failure(states.read(PROD));
      expect(refused).toMatchObject({ reason: 'Locked', lock: { ID: word } });
      expect(await failure(writes(states, stateText(4)))).toMatchObject({ reason: 'Locked' });
      expect(await failure(states.lock(PROD, wantedLock('L'), ANNA))).toMatchObject({ reason: 'Locked' });
      return refused.message;
    };
    await locked('Deleting');
    expect(await states.bury(PROD)).toBeUndefined();
    expect(await partsOf(store)).toEqual([]);
    await locked('Deleting');
    await store.commit({ preconditions: [], ops: [{ type: 'delete', key: objectKey(PROD) }] });
    expect(await locked('Deleted')).toContain('serial 3');
    await makeObject(store, PROD, { uid: 'another' });
    expect(await locked('Deleted')).toContain('plumb state acknowledge prod');
    expect(await states.acknowledge(PROD)).toBe(0);
    expect(JSON.parse(await reads(states))).toMatchObject({ serial: 0, lineage: 'another' });
    await writes(states, stateText(1, { lineage: 'another' }));
  });

  test('one that was never made is refused as well', async () => {
    const states = statesOver(new MemoryStore());
    expect(await failure(states.read(PROD))).toMatchObject({ reason: 'Locked', lock: { ID: 'NotCreated' } });
  });

  test('is not deleted while somebody works on it, who may still write', async () => {
    const { store, states } = await begun();
    await states.lock(PROD, wantedLock('L1'), ANNA);
    await writes(states, stateText(1), { lockId: 'L1' });
    await mark(store);
    expect(await states.bury(PROD)).toMatchObject({ id: 'L1' });
    await writes(states, stateText(2), { lockId: 'L1' });
    expect(await failure(writes(states, stateText(3), { who: BERT, lockId: 'L1' }))).toMatchObject({
      reason: 'Locked',
    });
    await states.unlock(PROD, 'L1', ANNA, () => {});
    expect(await states.bury(PROD)).toBeUndefined();
    expect((await states.standing(PROD)).head.deleted).toMatchObject({ serial: 2 });
  });

  test('a damaged one can be deleted, and is remembered', async () => {
    const { store, states } = await begun();
    await writes(states, large(1, 2_000_000));
    await store.commit({
      preconditions: [],
      ops: [{ type: 'put', key: keys.stateHead('default', 'prod'), value: '?' }],
    });
    await mark(store);
    expect(await states.bury(PROD)).toBeUndefined();
    expect(await partsOf(store)).toEqual([]);
    await store.commit({ preconditions: [], ops: [{ type: 'delete', key: objectKey(PROD) }] });
    expect(await failure(states.read(PROD))).toMatchObject({ reason: 'Locked', lock: { ID: 'Deleted' } });
  });

  test('there are so many in a project and no more', async () => {
    const store = new MemoryStore();
    const states = statesOver(store, { statesPerProject: 2 });
    for (const name of ['a', 'b', 'c']) await makeObject(store, { namespace: 'default', name });
    for (const name of ['a', 'b']) await writes(states, stateText(1), { place: { namespace: 'default', name } });
    const third = { namespace: 'default', name: 'c' };
    expect(await failure(writes(states, stateText(1), { place: third }))).toMatchObject({ reason: 'LimitExceeded' });
    expect(await failure(states.lock(third, wantedLock('L'), ANNA))).toMatchObject({ reason: 'LimitExceeded' });
    await writes(states, stateText(2), { place: { namespace: 'default', name: 'a' } });
  });
});

describe('a store that was put back', () => {
  const notePutBack = (store: MemoryStore, term: number, at = 1e12) =>
    store.commit({ preconditions: [], ops: [putBackOp({ term, at })] });

  test('every state waits until a person has said that it is good, and says to which serial it went back', async () => {
    const { store, states } = await begun();
    await writes(states, stateText(7));
    await notePutBack(store, 42);
    const refused = await failure(states.read(PROD));
    expect(refused).toMatchObject({ reason: 'Locked', lock: { ID: 'PutBack' } });
    expect(refused.message).toContain('went back to serial 7');
    expect(await failure(writes(states, stateText(8)))).toMatchObject({ reason: 'Locked' });
    expect(await failure(states.rollback(PROD, 7, ANNA))).toMatchObject({ reason: 'Locked' });
    expect(await states.acknowledge(PROD)).toBe(7);
    await writes(states, stateText(8));
    await notePutBack(store, 43);
    expect(await failure(states.read(PROD))).toMatchObject({ reason: 'Locked' });
  });

  test('so does one to which nothing had been written yet; one that was made since does not', async () => {
    const { store, states } = await begun();
    await notePutBack(store, 42);
    expect(await failure(states.read(PROD))).toMatchObject({ reason: 'Locked', lock: { ID: 'PutBack' } });
    const young = { namespace: 'default', name: 'young' };
    await makeObject(store, young, { creationTimestamp: '2001-09-09T01:46:41Z' });
    expect(JSON.parse(await reads(states, young))).toMatchObject({ serial: 0 });
    await writes(states, stateText(1), { place: young });
    expect(await reads(states, young)).toBe(stateText(1));
    await states.acknowledge(PROD);
    expect(JSON.parse(await reads(states))).toMatchObject({ serial: 0 });
  });

  test('a note that cannot be read counts as one', async () => {
    const { store, states } = await begun();
    await writes(states, stateText(7));
    await store.commit({ preconditions: [], ops: [{ type: 'put', key: keys.control('put-back'), value: '?' }] });
    expect(await failure(states.read(PROD))).toMatchObject({ reason: 'Locked' });
    await states.acknowledge(PROD);
    expect(await reads(states)).toBe(stateText(7));
  });
});

/** Ends after so many commits: the last one is durable or not, and nothing after it. */
class DyingStore extends MemoryStore {
  left = Number.POSITIVE_INFINITY;
  answers = true;
  override async commit(batch: Batch) {
    if (this.left <= 0) throw new PlumbError({ reason: 'StoreUnavailable', message: 'it died', retry: 'retry' });
    this.left--;
    const committed = await super.commit(batch);
    if (this.left <= 0 && !this.answers)
      throw new PlumbError({ reason: 'StoreUnavailable', message: 'it died', retry: 'retry' });
    return committed;
  }
}

test.each([true, false])(
  'whenever the process ends, the old version or the new one is there, and nothing remains of another (last commit answered: %s)',
  async (answers) => {
    const kinds = [
      { name: 'small', next: stateText(2) },
      { name: 'large', next: large(2, 1_500_000) },
    ];
    let points = 0;
    for (const { next } of kinds)
      for (let crash = 0; ; crash++) {
        const store = new DyingStore();
        await makeObject(store, PROD);
        const before = large(1, 600_000);
        const limits = { stateVersions: 2 };
        await writes(statesOver(store, limits), stateText(0));
        await writes(statesOver(store, limits), before);
        Object.assign(store, { left: crash, answers });
        const done = await writes(statesOver(store, limits), next).then(
          () => true,
          () => false,
        );
        const died = store.left <= 0;
        store.left = Number.POSITIVE_INFINITY;
        const after = statesOver(store, limits);
        const found = await reads(after);
        if (done) expect(found).toBe(next);
        else expect([before, next]).toContain(found);
        // Terraform sends it once more, or a later one.
        await writes(after, next);
        expect(await reads(after)).toBe(next);
        await writes(after, stateText(3));
        const { versions } = (await after.standing(PROD)).head;
        expect(versions.map(({ serial }) => serial)).toEqual([3, 2]);
        expect(await partsOf(store)).toHaveLength(versions.reduce((sum, { parts }) => sum + parts, 0));
        if (!died) break;
        points++;
      }
    // One commit of the small one; a note, its parts and the head of the large one.
    expect(points).toBeGreaterThanOrEqual(1 + 7);
  },
);

test('a deletion that is cut off anywhere is finished by the next one', async () => {
  for (let crash = 0; ; crash++) {
    const store = new DyingStore();
    await makeObject(store, PROD);
    await writes(statesOver(store), large(1, 6 << 20));
    await makeObject(store, PROD, { deletionTimestamp: '2001-09-09T01:46:40Z' });
    store.left = crash;
    await statesOver(store)
      .bury(PROD)
      .catch(() => {});
    const died = store.left <= 0;
    store.left = Number.POSITIVE_INFINITY;
    await statesOver(store).bury(PROD);
    expect(await partsOf(store)).toEqual([]);
    expect((await statesOver(store).standing(PROD)).head).toMatchObject({ deleted: { serial: 1 }, versions: [] });
    if (!died) break;
  }
});
