import { createHash } from 'node:crypto';
import { runPlumb } from '@plumb/cli/testing/run.ts';
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiRig, startApiRig, V1 } from '../api/testing/rig.ts';
import { JoinTokens } from '../fleet/join-tokens.ts';
import { Joining } from '../fleet/joining.ts';
import { Newcomers, readmit } from '../fleet/newcomers.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { MemoryStore } from '../store/memory.ts';
import { joinTokenExtensions } from './join-tokens.ts';
import { readmissionExtensions } from './readmissions.ts';

const PIN = 'a'.repeat(64);

let api: ApiRig;
let join: (token: string, host: string, credential: string) => Promise<void>;

beforeEach(async () => {
  const clock = new FakeClock(Date.now());
  const store = new MemoryStore();
  const tokens = new JoinTokens({ store, ambient: { ...realAmbient(), clock }, limits: defaultServerLimits });
  const newcomers = new Newcomers(clock, () => {});
  const joining = new Joining({ store, clock, tokens, newcomers, mayJoinAsAny: () => false });
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  join = (token, host, credential) =>
    joining.join({ token, host, credentialSha256: sha256(credential), registerZone: '' }, '192.0.2.7');
  const fleet = {
    newcomers: () => newcomers.all(),
    readmit: (host: string, prefix?: string) => readmit(store, newcomers, clock.now(), host, prefix),
  };
  api = await startApiRig({
    store,
    extensions: [...joinTokenExtensions(tokens, () => PIN), ...readmissionExtensions(fleet)],
  });
});
afterEach(() => api.stop());

const plumb = (...args: string[]) => runPlumb(api, args);

test('a token is told once, to who made it; the list says for whom it is and who joined', async () => {
  const made = await plumb('join-token', 'create', '--host', 'host-1', '--ttl', '90m');
  expect(made.code).toBe(0);
  const { secret, caPin } = parseJoinToken(made.out);
  expect(caPin).toBe(PIN);
  expect(made.err).toMatch(/^join token [0-9a-f]{12} admits host host-1; it expires at 20/);
  await join(secret, 'host-1', 'mine');
  await plumb('join-token', 'create', '--zone', 'home', '--uses', '3');
  const listed = await plumb('join-token', 'list');
  expect(listed.out).toMatch(/^[0-9a-f]{12} +host host-1 +UsedUp +1 of 1 +in \S+ +admin +host-1 \S+ ago$/m);
  expect(listed.out).toMatch(/^[0-9a-f]{12} +zone home +Valid +0 of 3 +in \S+ +admin +<none>$/m);
  expect(listed.out).not.toContain(secret);
  expect((await api.ask('GET', `${V1}/jointokens`)).text).not.toContain(secret);
});

test.each(['ttl', 'ttlSecond', 'TTLSeconds', 'use'])(
  'a wish of a token that is not known (%s) makes none, for its default may be more than was meant',
  async (field) => {
    const { status, text } = await api.ask('POST', `${V1}/jointokens`, { body: { host: 'host-1', [field]: 1 } });
    expect([status, text]).toEqual([422, expect.stringContaining(`${field}`)]);
    expect((await api.ask('GET', `${V1}/jointokens`)).body.items).toEqual([]);
  },
);

test('a revoked token lets nobody in any more', async () => {
  const { out, err } = await plumb('join-token', 'create', '--zone', 'home', '--uses', '2');
  const { secret } = parseJoinToken(out);
  await join(secret, 'host-1', 'mine');
  const id = /join token (\S+)/.exec(err)![1]!;
  expect((await plumb('join-token', 'revoke', id)).code).toBe(0);
  await expect(join(secret, 'host-2', 'mine')).rejects.toMatchObject({ reason: 'WrongJoinToken' });
  expect((await plumb('join-token', 'list')).out).toContain('Revoked');
  expect((await plumb('join-token', 'revoke', 'none')).err).toContain('there is no join token');
});

test.each([
  [['create'], /--host NAME or --zone ZONE/],
  [['create', '--host', 'a', '--zone', 'b'], /--host NAME or --zone ZONE/],
  [['create', '--host', 'A b'], /is not the name/],
  [['create', '--host', 'a', '--uses', 'many'], /--uses/],
  [['create', '--host', 'a', '--uses', '0'], /uses must be a whole number from 1/],
  [['create', '--host', 'a', '--ttl', '9999999h'], /ttlSeconds must be a whole number/],
  [['create', '--host', 'a', '--ttl', 'soon'], /--ttl must be a duration/],
  [['revoke'], /plumb join-token/],
])('%j is refused in one sentence', async (args, why) => {
  const { code, out, err } = await plumb('join-token', ...args);
  expect([code === 0, out]).toEqual([false, '']);
  expect(err).toMatch(why);
});

test('nobody without a token of the API makes, lists or revokes one, or lets a host in', async () => {
  for (const [method, path] of [
    ['POST', 'jointokens'],
    ['GET', 'jointokens'],
    ['DELETE', 'jointokens/x'],
    ['GET', 'readmissions'],
    ['POST', 'readmissions'],
  ] as const)
    expect((await api.ask(method, `${V1}/${path}`, { token: 'wrong', body: { host: 'h' } })).status).toBe(401);
});

test('plumb host readmit gives a host that lost its credential its name back', async () => {
  const { secret } = parseJoinToken((await plumb('join-token', 'create', '--host', 'host-1')).out);
  await join(secret, 'host-1', 'mine');
  const early = await plumb('host', 'readmit', 'host-1');
  expect([early.code, early.err]).toEqual([1, expect.stringContaining('no agent asks to be let in as host host-1')]);
  const refused = await join(secret, 'host-1', 'new').catch((error) => error);
  const print = /--credential ([0-9a-f]{16})/.exec(refused.message)![1]!;
  const [asking] = (await api.ask('GET', `${V1}/readmissions`)).body.items;
  expect(asking).toMatchObject({ metadata: { name: 'host-1' }, fingerprint: print, address: '192.0.2.7' });
  const listed = await plumb('host', 'readmit');
  expect(listed.out).toMatch(new RegExp(`^host-1 +${print} +192.0.2.7 +\\S+ ago +HostTaken$`, 'm'));
  // It has a credential, and may merely be off: who asks is let in by its fingerprint alone.
  for (const guess of [[], ['--credential', print.slice(0, 6)]]) {
    const { code, err } = await plumb('host', 'readmit', 'host-1', ...guess);
    expect([code, err]).toEqual([1, expect.stringContaining(`${print} at 192.0.2.7`)]);
  }
  expect((await plumb('host', 'readmit', 'host-1', '--credential', 'ffffffff')).code).toBe(1);
  await join(secret, 'host-1', 'mine');
  const { out } = await plumb('host', 'readmit', 'host-1', '--credential', print.slice(0, 8));
  expect(out).toBe(`host host-1 was let in with the credential ${print}, at 192.0.2.7\n`);
  await expect(join(secret, 'host-1', 'mine')).rejects.toMatchObject({ reason: 'HostTaken' });
});
