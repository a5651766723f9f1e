import { createHash } from 'node:crypto';
import { API_GROUP_VERSION, type PlumbError, realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { encodeObject } from '../store/object-codec.ts';
import { findCredential, isCredentialOf, removal } from './credentials.ts';
import { type Admits, JoinTokens } from './join-tokens.ts';
import { Joining } from './joining.ts';
import { Newcomers, readmit } from './newcomers.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function door(limits = defaultServerLimits) {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const ambient = { ...realAmbient(), clock };
  const tokens = new JoinTokens({ store, ambient, limits });
  const noted: string[] = [];
  const newcomers = new Newcomers(clock, (host) => noted.push(host));
  const joining = new Joining({
    ...{ store, clock, tokens, newcomers },
    mayJoinAsAny: (presented) => presented === 'any',
  });
  return {
    ...{ store, clock, tokens, newcomers, noted },
    make: (admits: Admits, more: { uses?: number; ttlSeconds?: number } = {}) =>
      tokens.create({ admits, uses: 1, ttlSeconds: 3600, by: 'admin', ...more }),
    join: (token: string, host: string, credential = `${host}'s`) =>
      joining.join({ token, host, credentialSha256: sha256(credential), registerZone: '' }, '192.0.2.1'),
    async declare(name: string) {
      const metadata = {
        name,
        uid: name,
        resourceVersion: '',
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
      };
      const object = { apiVersion: API_GROUP_VERSION, kind: 'Host', metadata, spec: { zone: 'home' } };
      const key = keys.object('hosts', undefined, name);
      await store.commit({ preconditions: [], ops: [{ type: 'put', key, value: encodeObject(object as never) }] });
    },
    /** As the controller of Hosts does at the end of a deletion. */
    async remove(name: string) {
      const { preconditions, ops } = removal(name, await findCredential(store, name), clock.now());
      const key = keys.object('hosts', undefined, name);
      await store.commit({ preconditions, ops: [...ops, { type: 'delete', key }] });
    },
    /** As a person does who fences it. */
    async evict(name: string) {
      await store.commit(removal(name, await findCredential(store, name), clock.now(), true));
    },
    readmit: (host: string, prefix?: string) => readmit(store, newcomers, clock.now(), host, prefix),
    has: (host: string, credential = `${host}'s`) => isCredentialOf(store, host, credential),
  };
}

const refusal = (joined: Promise<void>) =>
  joined.then(
    () => undefined,
    (error: PlumbError) => error,
  );
const reason = async (joined: Promise<void>) => (await refusal(joined))?.reason;

describe('a token for a host', () => {
  test('admits that name, once, whether or not it is declared, and says who joined', async () => {
    const { make, join, declare, has, tokens, clock } = door();
    const { secret, id } = await make({ host: 'host-1' });
    expect(await reason(join(secret, 'host-2'))).toBe('WrongJoinToken');
    await declare('host-1');
    await join(secret, 'host-1');
    expect(await has('host-1')).toBe(true);
    expect(await has('host-2')).toBe(false);
    const [listed] = await tokens.list();
    expect(listed).toMatchObject({ id, record: { joined: [{ host: 'host-1', at: clock.now() }], createdBy: 'admin' } });
    expect(tokens.stateOf(listed!)).toBe('UsedUp');
  });

  test('a lost answer may be asked for again, by the same credential alone', async () => {
    const { make, join, tokens } = door();
    const { secret } = await make({ host: 'host-1' });
    await join(secret, 'host-1');
    await join(secret, 'host-1');
    expect((await tokens.list())[0]?.record.joined).toHaveLength(1);
    expect(await reason(join(secret, 'host-1', 'thief'))).toBe('HostTaken');
  });

  test('nothing of its secret is in the store', async () => {
    const { make, join, store } = door();
    const { secret } = await make({ host: 'host-1' });
    await join(secret, 'host-1');
    expect(JSON.stringify((await store.list('/')).entries)).not.toContain(secret);
  });
});

test('of many hosts that come at once with a token of a zone as many are let in as it has uses', async () => {
  const { make, join, has, tokens } = door();
  const { secret } = await make({ zone: 'home' }, { uses: 5 });
  const hosts = Array.from({ length: 12 }, (_, n) => `host-${n}`);
  const outcomes = await Promise.all(hosts.map((host) => reason(join(secret, host))));
  const first = outcomes.filter((outcome) => outcome === undefined).length;
  expect(first).toBe(5);
  expect(new Set(outcomes.filter((outcome) => outcome !== undefined))).toEqual(new Set(['WrongJoinToken']));
  const admitted = (await Promise.all(hosts.map((host) => has(host)))).filter(Boolean);
  expect(admitted).toHaveLength(5);
  expect((await tokens.list())[0]?.record.joined).toHaveLength(5);
});

test('a token of a zone admits no name that is declared, nor one that has joined', async () => {
  const { make, join, declare, has, store } = door();
  const { secret } = await make({ zone: 'home' }, { uses: 10 });
  await declare('host-1');
  expect(await reason(join(secret, 'host-1'))).toBe('WrongJoinToken');
  await join('any', 'host-2');
  expect(await reason(join(secret, 'host-2', 'thief'))).toBe('WrongJoinToken');
  expect(await has('host-1')).toBe(false);
  await join(secret, 'host-3');
  expect((await findCredential(store, 'host-3')).record).toMatchObject({ registers: 'home' });
});

test('wrong tokens are answered alike, whatever is wrong with them', async () => {
  const { make, join, tokens, clock } = door();
  const expired = await make({ host: 'host-1' }, { ttlSeconds: 60 });
  const revoked = await make({ host: 'host-1' });
  const used = await make({ zone: 'home' });
  await join(used.secret, 'host-9');
  await tokens.revoke(revoked.id);
  await tokens.revoke(revoked.id);
  await clock.advance(60_000);
  const other = await make({ host: 'other' });
  const wrong = ['', 'nonsense', 'A'.repeat(4_000), expired.secret, revoked.secret, used.secret, other.secret];
  const answers = await Promise.all(wrong.map((secret) => refusal(join(secret, 'host-1'))));
  expect(new Set(answers.map((error) => `${error?.reason} ${error?.message} ${error?.retry}`)).size).toBe(1);
  expect(answers[0]?.reason).toBe('WrongJoinToken');
});

describe('a host that was deleted', () => {
  test('does not come back by the token of this machine until it is declared again', async () => {
    const { join, remove, declare, has, noted } = door();
    await declare('host-1');
    await join('any', 'host-1');
    await remove('host-1');
    expect(await reason(join('any', 'host-1'))).toBe('HostRemoved');
    expect(noted).toEqual(['host-1']);
    await declare('host-1');
    await join('any', 'host-1');
    expect(await has('host-1')).toBe(true);
  });

  test('does not come back by a token that was made before, nor by one of a zone; by a new one of its own it does', async () => {
    const { make, join, remove, clock, has } = door();
    const early = await make({ host: 'host-1' }, { uses: 9 });
    const zone = await make({ zone: 'home' }, { uses: 9 });
    await join(early.secret, 'host-1');
    await clock.advance(1_000);
    await remove('host-1');
    expect(await reason(join(early.secret, 'host-1'))).toBe('HostRemoved');
    expect(await reason(join(zone.secret, 'host-1'))).toBe('WrongJoinToken');
    const late = await make({ host: 'host-1' });
    await join(late.secret, 'host-1');
    expect(await has('host-1')).toBe(true);
  });

  test('comes back when a person readmits it, and is declared as before when its agent asks', async () => {
    const { join, remove, readmit, has, store } = door();
    await join('any', 'host-1');
    await remove('host-1');
    await refusal(join('any', 'host-1'));
    await readmit('host-1');
    expect(await has('host-1')).toBe(true);
    expect((await findCredential(store, 'host-1')).record).toMatchObject({ registers: '*' });
  });
});

test('a host that was taken from its agent comes back by a person alone, who says the fingerprint', async () => {
  const { join, evict, readmit, has, declare } = door();
  await declare('host-1');
  await join('any', 'host-1');
  await evict('host-1');
  expect(await has('host-1')).toBe(false);
  for (const credential of ["host-1's", 'another'])
    expect(await reason(join('any', 'host-1', credential))).toBe('HostRemoved');
  await expect(readmit('host-1', sha256('another').slice(0, 4))).rejects.toMatchObject({ reason: 'FingerprintNeeded' });
  await readmit('host-1', sha256("host-1's").slice(0, 16));
  expect(await has('host-1')).toBe(true);
});

describe('readmission', () => {
  test('gives the name the credential that asks for it; the one before is void', async () => {
    const { make, join, readmit, has } = door();
    const { secret } = await make({ host: 'host-1' });
    await join(secret, 'host-1');
    await expect(readmit('host-1')).rejects.toMatchObject({ reason: 'NotFound', retry: 'terminal' });
    const taken = await refusal(join(secret, 'host-1', 'new'));
    expect(taken?.message).toContain('plumb host readmit host-1');
    expect(taken?.message).toContain(sha256('new').slice(0, 16));
    expect(taken?.message).not.toContain('delete');
    for (const guess of [undefined, sha256('new').slice(0, 7)])
      await expect(readmit('host-1', guess)).rejects.toMatchObject({
        reason: 'FingerprintNeeded',
        retry: 'terminal',
        message: expect.stringContaining(`${sha256('new').slice(0, 16)} at 192.0.2.1`),
      });
    expect([await has('host-1'), await has('host-1', 'new')]).toEqual([true, false]);
    expect(await readmit('host-1', sha256('new').slice(0, 8))).toMatchObject({
      sha256: sha256('new'),
      address: '192.0.2.1',
    });
    expect([await has('host-1'), await has('host-1', 'new')]).toEqual([false, true]);
    // Its agent does not know that it was let in, and asks once more with a token that is used up.
    await join(secret, 'host-1', 'new');
  });

  test('of several that ask, a person says which; who asks no more is forgotten', async () => {
    const { join, readmit, has, clock, newcomers } = door();
    await join('any', 'host-1');
    await refusal(join('any', 'host-1', 'one'));
    await clock.advance(300_000);
    await refusal(join('any', 'host-1', 'two'));
    await expect(readmit('host-1')).rejects.toMatchObject({ reason: 'Ambiguous' });
    expect(newcomers.problemOf('host-1')?.message).toContain(sha256('two').slice(0, 16));
    await clock.advance(300_000);
    await expect(readmit('host-1', sha256('one').slice(0, 16))).rejects.toMatchObject({ reason: 'NotFound' });
    await readmit('host-1', sha256('two').slice(0, 16));
    expect(await has('host-1', 'two')).toBe(true);
    expect(newcomers.problemOf('host-1')).toBeUndefined();
  });

  test('who bears no token of the host is not even heard', async () => {
    const { make, join, readmit } = door();
    await join('any', 'host-1');
    const other = await make({ host: 'host-2' });
    const zone = await make({ zone: 'home' });
    for (const secret of ['wrong', other.secret, zone.secret]) await refusal(join(secret, 'host-1', 'thief'));
    await expect(readmit('host-1')).rejects.toMatchObject({ reason: 'NotFound' });
  });

  test('what is remembered is bounded', async () => {
    const { join, newcomers } = door();
    await join('any', 'host-1');
    for (let n = 0; n < 100; n++) await refusal(join('any', 'host-1', `credential ${n}`));
    expect(newcomers.of('host-1')).toHaveLength(8);
    expect(newcomers.of('host-1')[0]?.sha256).toBe(sha256('credential 99'));
  });
});

test('what a person asks of a token is within the limits, and what is over makes room', async () => {
  const { make, clock, tokens } = door({ ...defaultServerLimits, joinTokens: 3 });
  await expect(make({ host: 'Host' })).rejects.toMatchObject({ reason: 'BadRequest' });
  for (const more of [{ uses: 0 }, { uses: 1.5 }, { uses: 1e9 }, { ttlSeconds: 0 }, { ttlSeconds: 1e12 }])
    await expect(make({ host: 'h' }, more)).rejects.toMatchObject({ reason: 'BadRequest' });
  const first = await make({ host: 'a' }, { ttlSeconds: 60 });
  await make({ host: 'b' });
  await make({ host: 'c' });
  await expect(make({ host: 'd' })).rejects.toMatchObject({ reason: 'TooManyTokens' });
  await clock.advance(60_000);
  await make({ host: 'd' });
  expect((await tokens.list()).map(({ id }) => id)).not.toContain(first.id);
  await expect(tokens.revoke('nonsense')).rejects.toMatchObject({ reason: 'NotFound' });
});
