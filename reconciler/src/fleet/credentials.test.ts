import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { admitHost, hasCredential, isCredentialOf, watchCredentials } from './credentials.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const free = (host: string) => ({ preconditions: [], ops: [{ type: 'delete' as const, key: keys.credential(host) }] });

test('a host has the credential that it joined with, and no other', async () => {
  const store = new MemoryStore();
  await admitHost(store, 'host-1', sha256('mine'));
  expect(await isCredentialOf(store, 'host-1', 'mine')).toBe(true);
  expect(await isCredentialOf(store, 'host-1', 'other')).toBe(false);
  expect(await isCredentialOf(store, 'host-1', '')).toBe(false);
  expect(await isCredentialOf(store, 'host-2', 'mine')).toBe(false);
  expect(await isCredentialOf(store, '../control/term', 'mine')).toBe(false);
});

test('joining again is joining once; another credential is refused until the name is free', async () => {
  const store = new MemoryStore();
  await admitHost(store, 'host-1', sha256('mine'));
  await admitHost(store, 'host-1', sha256('mine'));
  await expect(admitHost(store, 'host-1', sha256('other'))).rejects.toMatchObject({
    reason: 'HostTaken',
    retry: 'terminal',
    message: expect.stringContaining('plumb delete host host-1'),
  });
  await store.commit(free('host-1'));
  expect(await hasCredential(store, 'host-1')).toBe(false);
  await admitHost(store, 'host-1', sha256('other'));
  expect(await isCredentialOf(store, 'host-1', 'other')).toBe(true);
});

test('of two that join under one name at once, one is let in', async () => {
  const store = new MemoryStore();
  const outcomes = await Promise.allSettled(['a', 'b'].map((secret) => admitHost(store, 'host-1', sha256(secret))));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('withdrawn credentials are told, others not; after a gap each is to be asked for', async () => {
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
  await admitHost(store, 'host-1', sha256('a'));
  await settle();
  await store.commit(free('host-1'));
  await settle();
  expect(told).toEqual(['gap', 'host-1']);
  for (let n = 0; n < 10; n++) void admitHost(store, `many-${n}`, sha256('a'));
  await settle();
  await clock.advance(1_000);
  expect(told).toEqual(['gap', 'host-1', 'gap']);
  closing.abort();
  await watching;
  expect(clock.timers).toBe(0);
});
