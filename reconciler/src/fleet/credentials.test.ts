import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { findCredential, hasCredential, isCredentialOf, removal, watchCredentials } from './credentials.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const give = (host: string, secret: string) => ({
  preconditions: [],
  ops: [{ type: 'put' as const, key: keys.credential(host), value: JSON.stringify({ sha256: sha256(secret) }) }],
});
const free = (host: string) => ({ preconditions: [], ops: [{ type: 'delete' as const, key: keys.credential(host) }] });

test('a host has the credential that it joined with, and no other', async () => {
  const store = new MemoryStore();
  await store.commit(give('host-1', 'mine'));
  expect(await isCredentialOf(store, 'host-1', 'mine')).toBe(true);
  expect(await isCredentialOf(store, 'host-1', 'other')).toBe(false);
  expect(await isCredentialOf(store, 'host-1', '')).toBe(false);
  expect(await isCredentialOf(store, 'host-2', 'mine')).toBe(false);
  expect(await isCredentialOf(store, '../control/term', 'mine')).toBe(false);
});

test('a host that was deleted has none, and is remembered', async () => {
  const store = new MemoryStore();
  await store.commit(removal('never', await findCredential(store, 'never'), 7));
  expect((await findCredential(store, 'never')).record).toBeUndefined();
  await store.commit(give('host-1', 'mine'));
  await store.commit(removal('host-1', await findCredential(store, 'host-1'), 7));
  expect(await isCredentialOf(store, 'host-1', 'mine')).toBe(false);
  expect(await hasCredential(store, 'host-1')).toBe(false);
  expect((await findCredential(store, 'host-1')).record).toEqual({ removedAt: 7 });
});

test('credentials that are withdrawn or replaced are told, others not; after a gap each is to be asked for', async () => {
  const store = new MemoryStore({ watchBuffer: 1 });
  const clock = new FakeClock();
  const closing = new AbortController();
  const told: string[] = [];
  const watching = watchCredentials(
    store,
    clock,
    closing.signal,
    (host) => told.push(host),
    () => told.push('gap'),
  );
  await settle();
  await store.commit(give('host-1', 'a'));
  await settle();
  await store.commit(give('host-1', 'a'));
  await settle();
  expect(told).toEqual(['gap']);
  await store.commit(give('host-1', 'b'));
  await settle();
  await store.commit(removal('host-1', await findCredential(store, 'host-1'), 7));
  await settle();
  await store.commit(give('host-1', 'b'));
  await settle();
  await store.commit(free('host-1'));
  await settle();
  expect(told).toEqual(['gap', 'host-1', 'host-1', 'host-1']);
  for (let n = 0; n < 10; n++) void store.commit(give(`many-${n}`, 'a'));
  await settle();
  await clock.advance(1_000);
  expect(told.slice(4)).toEqual(['gap']);
  closing.abort();
  await watching;
  expect(clock.timers).toBe(0);
});
