import type { PlumbObject } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { decodeObject, encodeObject, markedForDeletion, removalOps } from '../store/object-codec.ts';
import { FakeClock } from './fake-clock.ts';
import { GarbageCollector } from './garbage.ts';

let store: MemoryStore;
let ending: AbortController;
const errors: string[] = [];

beforeEach(() => {
  store = new MemoryStore();
  ending = new AbortController();
  errors.length = 0;
});
afterEach(() => {
  ending.abort();
  expect(errors).toEqual([]);
});

const begin = () =>
  new GarbageCollector({
    ...{ store, clock: new FakeClock(0) },
    onError: (key, error) => void errors.push(`${key}: ${error.message}`),
  }).start(ending.signal);

type Metadata = Partial<PlumbObject['metadata']>;
const keyOf = (name: string) => keys.object('l3networks', 'lab', name);
const ownedBy = (name: string, more: object = {}) => ({
  ...{ apiVersion: 'plumb.dev/v1', kind: 'L3Network', name, uid: `uid-${name}` },
  ...more,
});

async function make(name: string, metadata: Metadata = {}): Promise<void> {
  const object = {
    ...{ apiVersion: 'plumb.dev/v1', kind: 'L3Network', spec: {} },
    metadata: {
      ...{ name, namespace: 'lab', uid: `uid-${name}`, resourceVersion: '', generation: 1 },
      ...{ creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    },
  };
  await store.commit({ preconditions: [], ops: [{ type: 'put', key: keyOf(name), value: encodeObject(object) }] });
}

async function read(name: string): Promise<PlumbObject | undefined> {
  const entry = await store.get(keyOf(name));
  return entry && decodeObject(entry);
}

/** As the API deletes: at once, or when its finalizers are gone. */
async function remove(name: string, ...finalizers: string[]): Promise<void> {
  const object = (await read(name))!;
  const held = {
    ...object,
    metadata: { ...object.metadata, finalizers: [...(object.metadata.finalizers ?? []), ...finalizers] },
  };
  const isHeld = held.metadata.finalizers.length > 0;
  const value = encodeObject(markedForDeletion(held, '2026-01-02T00:00:00Z'));
  await store.commit({
    preconditions: [],
    ops: isHeld ? [{ type: 'put', key: keyOf(name), value }] : removalOps(keyOf(name), object, 0),
  });
}

/** As a controller lets go of its object. */
async function free(name: string, finalizer: string): Promise<void> {
  const object = (await read(name))!;
  const { finalizers = [], ...metadata } = object.metadata;
  const kept = finalizers.filter((one) => one !== finalizer);
  const freed = { ...object, metadata: { ...metadata, ...(kept.length > 0 ? { finalizers: kept } : {}) } };
  const ops =
    kept.length > 0
      ? [{ type: 'put' as const, key: keyOf(name), value: encodeObject(freed) }]
      : removalOps(keyOf(name), freed, 0);
  await store.commit({ preconditions: [], ops });
}

const there = (...names: string[]) =>
  Promise.all(names.map(async (name) => ((await store.get(keyOf(name))) ? name : '-'))).then((all) => all.join(' '));

test('what is owned goes when its owner has gone, and what that owns', async () => {
  await make('own');
  await make('dep', { ownerReferences: [ownedBy('own')] });
  await make('deeper', { ownerReferences: [ownedBy('dep')] });
  await make('other');
  await begin();
  expect(await there('own', 'dep', 'deeper', 'other')).toBe('own dep deeper other');
  await remove('own');
  await expect.poll(() => there('own', 'dep', 'deeper', 'other')).toBe('- - - other');
});

test('what has finalizers is marked, and goes with the last', async () => {
  await make('own');
  await make('dep', { ownerReferences: [ownedBy('own')], finalizers: ['example.com/keep'] });
  await begin();
  await remove('own');
  await expect
    .poll(async () => (await read('dep'))?.metadata)
    .toMatchObject({
      ...{ generation: 2, deletionGracePeriodSeconds: 0, deletionTimestamp: '1970-01-01T00:00:00Z' },
    });
  await free('dep', 'example.com/keep');
  expect(await there('dep')).toBe('-');
});

test('one of two owners is enough to stay; the reference to the other is taken away', async () => {
  await make('one');
  await make('two');
  await make('dep', { ownerReferences: [ownedBy('one'), ownedBy('two')] });
  await begin();
  await remove('one');
  await expect.poll(async () => (await read('dep'))?.metadata.ownerReferences).toEqual([ownedBy('two')]);
  await remove('two');
  await expect.poll(() => there('dep')).toBe('-');
});

test('an owner of another uid, or one that never was, is no owner, also when it was gone before the start', async () => {
  await make('own', { uid: 'uid-another' });
  await make('dep', { ownerReferences: [ownedBy('own')] });
  await make('late', { ownerReferences: [ownedBy('never')] });
  await begin();
  await expect.poll(() => there('own', 'dep', 'late')).toBe('own - -');
  await make('later', { ownerReferences: [ownedBy('never')] });
  await expect.poll(() => there('later')).toBe('-');
});

test('of an owner of a kind that is not here nothing is known, and nothing is done', async () => {
  await make('dep', { ownerReferences: [ownedBy('app', { apiVersion: 'apps/v1', kind: 'Deployment' })] });
  await make('gone', { ownerReferences: [ownedBy('never')] });
  await begin();
  await expect.poll(() => there('gone')).toBe('-');
  expect(await there('dep')).toBe('dep');
});

test('in the foreground the owner waits for what blocks it, and for nothing else', async () => {
  await make('own');
  await make('blocks', {
    ownerReferences: [ownedBy('own', { blockOwnerDeletion: true })],
    finalizers: ['example.com/keep'],
  });
  await make('free', { ownerReferences: [ownedBy('own')] });
  await begin();
  await remove('own', 'foregroundDeletion');
  await expect.poll(async () => (await read('blocks'))?.metadata.deletionTimestamp).toBeDefined();
  expect(await there('own', 'blocks')).toBe('own blocks');
  await free('blocks', 'example.com/keep');
  await expect.poll(() => there('own', 'blocks', 'free')).toBe('- - -');
});

test('an owner that orphans what it owns goes, and what it owned stays without it', async () => {
  await make('own');
  await make('dep', { ownerReferences: [ownedBy('own'), ownedBy('second')] });
  await make('second');
  await begin();
  await remove('own', 'orphan');
  await expect.poll(() => there('own', 'dep')).toBe('- dep');
  expect((await read('dep'))?.metadata.ownerReferences).toEqual([ownedBy('second')]);
});

test('a write in between is no error, and what is not owned any more stays', async () => {
  await make('own');
  await make('dep', { ownerReferences: [ownedBy('own')] });
  await begin();
  await make('dep');
  await remove('own');
  await make('last', { ownerReferences: [ownedBy('own')] });
  await expect.poll(() => there('last')).toBe('-');
  expect(await there('dep')).toBe('dep');
});

test('what is protected outlives its owner, and goes when it is protected no more', async () => {
  const protect = async (name: string, deletionProtection: boolean) => {
    const object = { ...(await read(name))!, spec: { deletionProtection } };
    await store.commit({ preconditions: [], ops: [{ type: 'put', key: keyOf(name), value: encodeObject(object) }] });
  };
  await make('owner');
  for (const name of ['kept', 'free']) await make(name, { ownerReferences: [ownedBy('owner')] });
  await protect('kept', true);
  await begin();
  await remove('owner');
  await expect.poll(() => read('free')).toBeUndefined();
  expect((await read('kept'))?.metadata.deletionTimestamp).toBeUndefined();
  await protect('kept', false);
  await expect.poll(() => read('kept')).toBeUndefined();
});
