import type { PlumbObject } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { type Pending, pendingOf, withPending } from '@plumb/schemas/meta/pending.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { decodeObject, encodeObject } from '../store/object-codec.ts';
import { FakeClock } from './fake-clock.ts';
import { GarbageCollector } from './garbage.ts';
import { PendingCreates } from './pending-creates.ts';

const SECONDS = 1000;
const KEY = keys.object('zones', undefined, 'home');
const { pendingCreateSeconds, leftCreateSeconds } = defaultServerLimits;

let store: MemoryStore;
let clock: FakeClock;
let ending: AbortController;
const taken: string[] = [];

beforeEach(() => {
  store = new MemoryStore();
  clock = new FakeClock(0);
  ending = new AbortController();
  taken.length = 0;
});
afterEach(() => ending.abort());

async function begin(): Promise<void> {
  const onError = (key: string, error: Error) => {
    throw new Error(`${key}: ${error.message}`);
  };
  const pending = new PendingCreates({
    store,
    clock,
    limits: defaultServerLimits,
    onTaken: (key) => taken.push(key),
    onError,
  });
  pending.start(ending.signal);
  const onSeen = (key: string, text: string | undefined) => pending.note(key, text);
  await new GarbageCollector({ store, clock, onSeen, onError }).start(ending.signal);
}

async function put(mark: Partial<Pending> | undefined, finalizers = ['plumb.dev/zone'], spec = {}): Promise<void> {
  const metadata = { name: 'home', uid: 'u', resourceVersion: '', generation: 1, creationTimestamp: '', finalizers };
  const object: PlumbObject = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata, spec };
  const full = mark && { request: 'r', phase: 'making' as const, user: 'ann', ...mark };
  await store.commit({
    preconditions: [],
    ops: [{ type: 'put', key: KEY, value: encodeObject(withPending(object, full)) }],
  });
  await settled();
}

async function pass(seconds: number): Promise<void> {
  clock.advance(seconds * SECONDS);
  await settled();
}

const read = async (): Promise<PlumbObject | undefined> => {
  const entry = await store.get(KEY);
  return entry && decodeObject(entry);
};
/** What follows from a change or from time has happened. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const isGoing = async () => (await read())?.metadata.deletionTimestamp !== undefined;

test('what nobody renews is taken back, and what is renewed is not', async () => {
  await begin();
  await put({});
  for (let beat = 1; beat < 5; beat++) {
    await pass(pendingCreateSeconds - 1);
    await put({ beat });
  }
  expect(await isGoing()).toBe(false);
  await pass(pendingCreateSeconds + 1);
  expect(await isGoing()).toBe(true);
  expect(taken).toEqual([KEY]);
});

test('other changes are no renewal, and an object without finalizers goes at once', async () => {
  await begin();
  await put({}, []);
  await pass(pendingCreateSeconds - 1);
  await put({}, [], { description: 'Edited.' });
  await pass(2);
  expect(await read()).toBeUndefined();
});

test('what was handed over stays, whatever becomes of its maker', async () => {
  await begin();
  await put({});
  await pass(1);
  await put(undefined);
  await pass(10 * leftCreateSeconds);
  expect(await isGoing()).toBe(false);
});

test('what may have been handed over stays: with a named stack it can be found for some time', async () => {
  await begin();
  await put({ phase: 'told', stack: 'shop' });
  await pass(2 * pendingCreateSeconds);
  expect(pendingOf((await read())!)?.phase).toBe('told');
  await pass(2 * pendingCreateSeconds);
  expect(pendingOf((await read())!)).toMatchObject({ phase: 'left', stack: 'shop', request: 'r', user: 'ann' });
  await pass(leftCreateSeconds + 1);
  expect(await isGoing()).toBe(false);
  expect((await read())?.metadata.annotations).toBeUndefined();
});

test('and without one it is like any other', async () => {
  await begin();
  await put({ phase: 'told' });
  await pass(4 * pendingCreateSeconds);
  expect(await isGoing()).toBe(false);
  expect((await read())?.metadata.annotations).toBeUndefined();
});

test('what was there at the start is found; a protected object and one with a mark of nobody stay', async () => {
  await put({});
  await begin();
  await pass(pendingCreateSeconds + 1);
  expect(await isGoing()).toBe(true);
  await put({}, ['plumb.dev/zone'], { deletionProtection: true });
  await pass(pendingCreateSeconds + 1);
  expect(await isGoing()).toBe(false);
  await put({ phase: 'odd' as never });
  await pass(10 * pendingCreateSeconds);
  expect(await isGoing()).toBe(false);
});
