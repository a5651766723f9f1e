import type { LiveResource } from '@plumb/schemas';
import { isPrintable } from '@plumb/schemas/meta/printable.ts';
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { liveResourceToWire } from '@plumb/schemas/wire/resource-codec.ts';
import { expect, test } from 'vitest';
import { settle } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import type { FakeCall } from './testing/fake-call.ts';
import { fleetFor } from './testing/fleet-rig.ts';

const bridge = (id: string, owner = id, peers: string[] = []): LiveResource => ({
  kind: 'bridge',
  id,
  owner,
  spec: { name: id, type: 'vxlan', vni: 1, mtuBytes: 1450, peers },
  drift: [],
});

const bridges = (count: number, prefix = 'b', owner?: string) =>
  Array.from({ length: count }, (_, n) => bridge(`${prefix}${n}`, owner));

const snapshot = (host: string, resources: LiveResource[], more = false): AgentMessage => ({
  host,
  body: 'snapshot',
  snapshot: { resources: resources.map(liveResourceToWire), more },
});

const changed = (host: string, ...resources: LiveResource[]): AgentMessage => ({
  host,
  body: 'changes',
  changes: { changed: resources.map(liveResourceToWire), removed: [] },
});

async function attached(call: FakeCall, ...hosts: string[]): Promise<void> {
  for (const host of hosts) call.attach(host);
  await settle();
  for (const host of hosts) call.say(snapshot(host, []));
}

/** What was pushed in a turn is sent at its end. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const few = { resourcesPerHost: 20, resourcesPerOwner: 5, liveBytesPerHost: 20_000 };

test.each([
  ['too many resources at once', [snapshot('bad', bridges(21))]],
  ['too many in parts that never end', [snapshot('bad', bridges(11), true), snapshot('bad', bridges(11, 'c'), true)]],
  ['too many, one after the other', bridges(21).map((resource) => changed('bad', resource))],
  ['too many of one object', [snapshot('bad', bridges(6, 'b', 'one'))]],
  ['too many of one object, one after the other', bridges(6, 'b', 'one').map((resource) => changed('bad', resource))],
  ['too long ones', [changed('bad', bridge('long', 'long', Array(2000).fill('192.0.2.1')))]],
  ['what was not decoded', [{ host: 'bad', body: 'broken', problem: 'it is too large' } as const]],
])('a host that tells of %s loses its session, and says why; the others of its stream go on', async (_, messages) => {
  const { fleet, clock, log, connect } = await fleetFor(['bad', 'good'], few);
  const call = connect('good');
  await attached(call, 'good', 'bad');
  call.say(...messages);
  await turn();
  expect(fleet.host('bad')?.connected).toBe(false);
  expect(fleet.refusalOf('bad')).toMatchObject({ reason: 'LimitExceeded', message: expect.stringContaining('bad') });
  expect(call.last('refused')).toMatchObject({
    host: 'bad',
    refused: { reason: 'LimitExceeded', retryAfterMs: 30_000 },
  });
  expect(fleet.host('good')?.connected).toBe(true);
  call.say(changed('good', bridge('g')));
  expect(fleet.host('good')?.resources.size).toBe(1);
  // It asks again at once, and again, and is not heard before its time.
  for (let n = 0; n < 5; n++) call.attach('bad');
  await settle();
  expect(call.last('attached')?.host).toBe('bad');
  expect(call.heard.filter(({ host, body }) => host === 'bad' && body === 'attached')).toHaveLength(1);
  for (let seconds = 0; seconds < 30; seconds += 10) {
    call.say({ host: '', body: 'heartbeat', heartbeat: { sequence: seconds } });
    await clock.advance(10_000);
  }
  await attached(call, 'bad');
  expect([fleet.host('bad')?.connected, fleet.refusalOf('bad')]).toEqual([true, undefined]);
  expect(log.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  fleet.close();
});

test('a stream answers for a few names that are not attached there, however many it is told', async () => {
  const { fleet, connect } = await fleetFor(['a'], { refusalsPerStream: 10 });
  const call = connect('a');
  await attached(call, 'a');
  call.say(...Array.from({ length: 5000 }, (_, n) => snapshot(`made-up-${n}`, [])));
  await settle();
  expect(call.heard.filter(({ body }) => body === 'refused')).toHaveLength(10);
  expect([call.ended, fleet.host('a')?.connected]).toEqual([false, true]);
  fleet.close();
});

test('a stream speaks for so many hosts; a further one is told so, and its Host says why', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b', 'c'], { hostsPerStream: 2 });
  const call = connect('a');
  await attached(call, 'a', 'b');
  call.attach('c');
  await settle();
  expect(call.last('refused')).toMatchObject({ host: 'c', refused: { reason: 'LimitExceeded' } });
  expect(fleet.refusalOf('c')?.message).toContain('hostsPerStream');
  expect([fleet.host('a')?.connected, fleet.host('b')?.connected]).toEqual([true, true]);
  fleet.close();
});

test('an agent that takes nothing of what it is told loses its stream', async () => {
  const { fleet, connect } = await fleetFor(['a'], { outboxBytes: 10_000 });
  const call = connect('a');
  await attached(call, 'a');
  call.takes = false;
  const send = () =>
    fleet.send('a', { owner: 'o', fence: 1, steps: [{ id: '1', verb: 'ensure', resource: bridge('b') }] });
  const sent: Promise<unknown>[] = [send()];
  await turn();
  for (let n = 0; n < 100; n++) sent.push(send());
  const outcomes = await Promise.allSettled(sent);
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  expect(call.failure?.message).toContain('does not take');
  fleet.close();
});

test('a stream that says very much is read slowly, and is not taken for silent', async () => {
  const { fleet, clock, connect } = await fleetFor(['a', 'b'], {
    streamBytesPerSecond: 65_536,
    streamHostBytesPerSecond: 1,
  });
  const [loud, other] = [connect('a'), connect('b')];
  await attached(loud, 'a');
  await attached(other, 'b');
  const long = bridge('long', 'long', Array(4000).fill('192.0.2.1'));
  for (let n = 0; n < 60; n++) loud.say(changed('a', { ...long, spec: { ...long.spec, vni: n } } as LiveResource));
  expect(loud.isHeld).toBe(true);
  expect(other.isHeld).toBe(false);
  for (let second = 0; second < 200; second++) {
    await clock.advance(1000);
    for (const call of [loud, other]) call.say({ host: '', body: 'heartbeat', heartbeat: { sequence: second } });
  }
  expect([loud.ended, loud.isHeld]).toEqual([false, false]);
  expect(fleet.host('a')!.resources.get('bridge/long')).toMatchObject({ spec: { vni: 59 } });
  fleet.close();
});

test('a host attaches a few times in a row, then as often as it may', async () => {
  const { fleet, clock, connect } = await fleetFor(['a']);
  const call = connect('a');
  let attaches = 0;
  for (let n = 0; n < 300; n++) {
    call.attach('a');
    await clock.advance(100);
  }
  attaches = call.heard.filter(({ body }) => body === 'attached').length;
  expect(attaches).toBeGreaterThan(20);
  expect(attaches).toBeLessThanOrEqual(20 + 30 + 1);
  expect(call.last('refused')?.refused.retryAfterMs).toBeGreaterThan(0);
  fleet.close();
});

test('nothing is remembered of a host that left for good: freed, or never declared', async () => {
  const { fleet, store, connect } = await fleetFor(['declared', 'freed', 'unknown']);
  await store.commit({
    preconditions: [],
    ops: [{ type: 'delete', key: keys.object('hosts', undefined, 'unknown') }],
  });
  const call = connect('declared');
  await attached(call, 'declared', 'freed', 'unknown');
  for (const host of ['declared', 'freed', 'unknown']) call.say(changed(host, bridge(`of-${host}`)));
  await store.commit({ preconditions: [], ops: [{ type: 'delete', key: keys.credential('freed') }] });
  call.end();
  await settle();
  expect([...fleet.hosts()].map(({ name }) => name)).toEqual(['declared']);
  expect([...fleet.ownedBy('of-declared')]).toHaveLength(1);
  expect([...fleet.ownedBy('of-freed'), ...fleet.ownedBy('of-unknown')]).toEqual([]);
  fleet.close();
});

test('what an agent says has drifted is cut and printable; what cannot be understood is in the log once', async () => {
  const { fleet, log, connect } = await fleetFor(['a']);
  const call = connect('a');
  await attached(call, 'a');
  call.say(changed('a', { ...bridge('b'), drift: [`\u001b[2J\n${'x'.repeat(1_000_000)}`] }));
  const [drift] = fleet.host('a')!.resources.get('bridge/b')!.drift;
  expect(drift!.length).toBeLessThan(1100);
  expect(isPrintable(drift!)).toBe(true);
  const unknown = { resource: { kind: 'disk', id: 'x', owner: 'x', spec: '{"later":1}' }, drift: [] };
  call.say({ host: 'a', body: 'changes', changes: { changed: Array(100).fill(unknown), removed: [] } });
  expect(log.filter((line) => line.includes('cannot be understood'))).toHaveLength(1);
  fleet.close();
});

test('the words that one host makes up do not use up those of the others', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b'], { wordsPerHost: 16 });
  const [bad, good] = [connect('a'), connect('b')];
  await attached(bad, 'a');
  await attached(good, 'b');
  const word = (n: number) => `${n}`.padStart(64, 'w');
  const named = (n: number): LiveResource =>
    ({ ...bridge(`b${n}`), spec: { ...bridge('x').spec, name: word(n) } }) as LiveResource;
  bad.say(changed('a', ...Array.from({ length: 200 }, (_, n) => named(n))));
  good.say(changed('b', ...Array.from({ length: 10 }, (_, n) => named(1000 + n))));
  expect(fleet.host('a')!.resources.get('bridge/b199')).toEqual(named(199));
  expect(fleet.host('b')!.resources.get('bridge/b1009')).toEqual(named(1009));
  fleet.close();
});

test('an agent that does not handle a type is not told to make one', async () => {
  const { fleet, connect } = await fleetFor(['a']);
  const call = connect('a');
  Object.assign(call.facts, { types: ['domain'] });
  await attached(call, 'a');
  const sent = fleet.send('a', { owner: 'o', fence: 1, steps: [{ id: '1', verb: 'ensure', resource: bridge('b') }] });
  await expect(sent).rejects.toMatchObject({
    reason: 'UnsupportedResource',
    message: expect.stringContaining('bridge'),
  });
  fleet.close();
});
