import { expect, test } from 'vitest';
import { allocationHolding } from '../plan/allocation.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { type FlowChange, Journal } from './journal.ts';
import { encodeFlow, type FlowRecord } from './record.ts';

const UID = '3f2c8a52-5d0e-7000-8000-000000000001';
const KEY = keys.flow(UID);
const record: FlowRecord = {
  ...{ key: '/objects/instances/default/a', uid: UID, kind: 'Instance', purpose: 'delete', generation: 1 },
  ...{ direction: 'forward', plan: { version: 2, steps: [] }, held: [], inputs: '', startedAt: 1 },
};
const TEXT = encodeFlow(record);

function journal() {
  const told: string[] = [];
  const changes: FlowChange[] = [];
  const one = new Journal(new MemoryStore(), new Map([['Instance', allocationHolding]]), {
    noteRecord: (key) => void told.push(`note ${key}`),
    clearRecord: (key) => void told.push(`clear ${key}`),
  });
  one.onChange((change) => changes.push(change));
  return { one, told, changes };
}

test('a flow over which another process writes something that cannot be read is not gone on with, and is known', () => {
  const { one, told, changes } = journal();
  one.take(KEY, TEXT, 1);
  expect(one.get(UID)?.record.key).toBe(record.key);
  one.take(KEY, '{"no":"flow"}', 2);
  expect([one.get(UID), [...one.all()], one.knows(UID), one.unreadableFlows]).toEqual([undefined, [], true, 1]);
  expect(one.unreadable(UID)).toEqual(expect.any(String));
  expect([...one.knownKeys()]).toEqual([KEY]);
  expect(one.knownRevision(KEY)).toBe(2);
  one.take(KEY, TEXT, 3);
  expect([one.get(UID)?.revision, one.unreadable(UID), one.unreadableFlows]).toEqual([3, undefined, 0]);
  expect(told).toEqual([`note ${KEY}`, `clear ${KEY}`]);
  expect(changes.map(({ foreign }) => foreign)).toEqual([true, true, true]);
});

test('what is older than what is known changes nothing, and the end of a flow forgets all of it', () => {
  const { one, changes } = journal();
  one.take(KEY, TEXT, 5);
  expect(one.isResumed(UID)).toBe(true);
  one.take(KEY, undefined, 4);
  one.take(KEY, TEXT.replace('"generation":1', '"generation":9'), 5);
  expect(one.get(UID)).toMatchObject({ revision: 5, record: { generation: 1 } });
  const note = { step: 's', at: 1 } as never;
  for (let n = 0; n < 200; n++) one.note(UID, note);
  expect(one.notes(UID)).toHaveLength(100);
  one.take(KEY, undefined, 6);
  expect([one.knows(UID), one.isResumed(UID), one.notes(UID)]).toEqual([false, false, []]);
  expect(changes.at(-1)).toEqual({ uid: UID, key: record.key, foreign: true });
});

test('what this process writes is no news of another one, neither when it begins nor when it ends', async () => {
  const { one, changes } = journal();
  const journaled = await one.turn(record);
  expect(one.isResumed(UID)).toBe(false);
  one.take(KEY, TEXT, journaled.revision);
  expect(one.ending(UID)).toEqual({
    preconditions: [{ key: KEY, revision: journaled.revision }],
    ops: [{ type: 'delete', key: KEY }],
  });
  one.take(KEY, undefined, journaled.revision + 1);
  expect(changes.map(({ foreign }) => foreign)).toEqual([false, false]);
  expect(one.ending(UID)).toEqual({ preconditions: [], ops: [] });
});
