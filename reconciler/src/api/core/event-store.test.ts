import type { Ambient, PlumbObject } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventRing } from '../../runtime/events.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { Change, ReadableStore } from '../../store/store.ts';
import { eventText, keyOfEvent } from './event-entries.ts';
import { EventStore } from './event-store.ts';

function about(name: string, namespace?: string): PlumbObject {
  const metadata = { name, uid: `uid-${namespace}-${name}`, ...(namespace ? { namespace } : {}) };
  return { apiVersion: 'plumb.dev/v1', kind: 'Instance', metadata, spec: {} } as PlumbObject;
}

/** A ring, its store, and beside it a store that was told every event as text at once. */
function rig(capacity: number) {
  const clock = new FakeClock(1_700_000_000_000);
  let ids = 0;
  const ambient: Ambient = {
    ...realAmbient(),
    clock,
    ids: { ...realAmbient().ids, uid: () => ((ids++ * 7919) % 999_983).toString(16).padStart(10, '0') },
  };
  const ring = new EventRing({ ambient, capacity });
  const model = new MemoryStore();
  ring.onChange(({ before, after }) => {
    const key = keyOfEvent((after ?? before)!);
    const op = after ? { type: 'put' as const, key, value: eventText(after) } : { type: 'delete' as const, key };
    void model.commit({ preconditions: [], ops: [op] });
  });
  const record = (name: string, namespace: string | undefined, message: string) =>
    ring.record({ object: about(name, namespace), type: 'Normal', reason: 'Told', message });
  return { clock, ring, model, record, store: new EventStore(ring) };
}

const plain = ({ key, value, previous }: Change): Change => ({ key, value, previous });

/** Every change that a watch tells until it is at `until`. */
async function changesUntil(store: ReadableStore, prefix: string, from: number, until: number) {
  const end = new AbortController();
  const told: { revision: number; changes: Change[] }[] = [];
  setImmediate(() => end.abort());
  for await (const { revision, changes } of store.watch(prefix, from, end.signal)) {
    if (changes.length > 0) told.push({ revision, changes: changes.map(plain) });
    if (revision >= until) break;
  }
  return told;
}

const where = fc.record({
  name: fc.constantFrom('a', 'b', 'c-1'),
  namespace: fc.constantFrom(undefined, 'default', 'dev', 'dev-2'),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('record' as const), where, message: fc.constantFrom('x', 'y', 'z') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      prefix: fc.constantFrom('/objects/events/', '/objects/events/dev/', '/objects/events/default/a', '/objects/x/'),
      /** Part of the history, from its beginning. */
      position: fc.double({ min: 0, max: 1, noNaN: true }),
      limit: fc.integer({ min: 1, max: 5 }),
      skip: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
    }),
  },
);

test('reads and watches are those of a store that was told every event as text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 60 }), async (capacity, steps) => {
      const { clock, model, record, store } = rig(capacity);
      for (const done of steps) {
        if (done.do === 'record') {
          await clock.advance(1500);
          record(done.where.name, done.where.namespace, done.message);
          expect(store.revision()).toBe(model.revision());
          continue;
        }
        const { prefix, limit } = done;
        const revision = Math.floor(done.position * model.revision());
        const all = await model.list(prefix, { revision });
        expect(await store.list(prefix, { revision })).toEqual(all);
        expect(await store.list(prefix)).toEqual(await model.list(prefix));
        const after = done.skip === undefined ? `${prefix}b` : (all.entries[done.skip]?.key ?? prefix);
        expect(await store.list(prefix, { revision, limit, after })).toEqual(
          await model.list(prefix, { revision, limit, after }),
        );
        for (const { key } of all.entries) expect(await store.get(key)).toEqual(await model.get(key));
        const [told, expected] = await Promise.all(
          [store, model].map((each) => changesUntil(each, prefix, revision, model.revision())),
        );
        expect(told).toEqual(expected);
      }
      store.close();
      await model.close();
    }),
    { numRuns: 200 },
  );
});

describe('history', () => {
  test('is bounded: who is behind it lists again, and who lists sees what the ring keeps', async () => {
    const { ring, model, record, store } = rig(100);
    record('a', 'dev', 'first');
    const first = await store.list('');
    for (let i = 0; i < 10_000; i++) record('a', 'dev', `number ${i}`);
    await expect(store.list('', { revision: first.revision })).rejects.toMatchObject({ reason: 'Compacted' });
    const watch = store.watch('', first.revision, new AbortController().signal)[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ reason: 'Compacted' });
    await expect(store.list('', { revision: ring.revision + 1 })).rejects.toMatchObject({ reason: 'Compacted' });
    expect(await store.list('')).toEqual(await model.list(''));
    const kept = ring.revision - 4096;
    expect(await store.list('', { revision: kept })).toEqual(await model.list('', { revision: kept }));
    store.close();
  });

  test('what the ring knew before is listed, and a watch goes on from there', async () => {
    const { ring, record } = rig(100);
    record('a', 'dev', 'before');
    const store = new EventStore(ring);
    const { entries, revision } = await store.list('');
    expect(entries.map(({ value }) => JSON.parse(value).message)).toEqual(['before']);
    const watch = store.watch('', revision, new AbortController().signal)[Symbol.asyncIterator]();
    const next = watch.next();
    record('a', 'dev', 'after');
    const told = (await next).value!;
    expect(told.revision).toBe(revision + 1);
    expect(JSON.parse(told.changes[0]!.value!).message).toBe('after');
    store.close();
    expect((await watch.next()).done).toBe(true);
    await expect(store.list('')).rejects.toMatchObject({ reason: 'StoreUnavailable' });
  });
});
