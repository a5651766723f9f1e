import type { HostResource, LiveResource } from '@plumb/schemas';
import type { CommandProgress } from '@plumb/schemas/wire/messages.ts';
import { liveResourceToWire } from '@plumb/schemas/wire/resource-codec.ts';
import { liveDigest, resourceLine } from '@plumb/schemas/wire/resource-line.ts';
import { expect, test } from 'vitest';
import { settle } from '../runtime/fake-clock.ts';
import { SILENCE_MS } from './agent-stream.ts';
import type { LiveChange } from './fleet.ts';
import { fleetFor } from './testing/fleet-rig.ts';

const bridge = (id: string): LiveResource => ({
  kind: 'bridge',
  id,
  owner: id,
  spec: { name: id, type: 'flat', physicalInterface: 'eth0', mtuBytes: 1500, peers: [] },
  drift: [],
});

test('what the server knows of a host that comes back is not sent again, unless it is otherwise now', async () => {
  const { fleet, connect } = await fleetFor(['h']);
  const changes: LiveChange[] = [];
  fleet.onChange((change) => changes.push(change));
  const first = connect();
  first.attach('h');
  await settle();
  expect(first.last('attached')?.attached).toMatchObject({ term: 7, liveDigest: '' });
  const resources = [bridge('a'), bridge('b')];
  const [a, b] = resources.map(liveResourceToWire);
  first.say({ host: 'h', body: 'snapshot', snapshot: { resources: [a!], more: true } });
  expect(fleet.host('h')?.connected).toBe(false);
  first.say({ host: 'h', body: 'snapshot', snapshot: { resources: [b!], more: false } });
  expect([...fleet.host('h')!.resources.keys()]).toEqual(['bridge/a', 'bridge/b']);
  const version = fleet.owned('a')?.version;
  first.end();
  expect(fleet.host('h')?.connected).toBe(false);

  const second = connect();
  second.attach('h');
  await settle();
  expect(second.last('attached')?.attached.liveDigest).toBe(liveDigest(resources.map(resourceLine)));
  expect(fleet.host('h')?.connected).toBe(false);
  second.say({ host: 'h', body: 'snapshot', snapshot: { resources: [], more: false, unchanged: true } });
  expect(fleet.host('h')?.connected).toBe(true);
  expect([...fleet.host('h')!.resources.values()]).toEqual(resources);
  expect(fleet.owned('a')?.version).toBe(version);
  second.say({ host: 'h', body: 'snapshot', snapshot: { resources: [a!], more: false } });
  expect([...fleet.host('h')!.resources.keys()]).toEqual(['bridge/a']);
  expect(changes).toEqual(Array(4).fill({ type: 'host', host: 'h' }));
  fleet.close();
});

test('a host that was let in is telling until it told everything or its stream ends', async () => {
  const { fleet, clock, connect } = await fleetFor(['h', 'k']);
  const stream = connect();
  expect(fleet.isTelling('h')).toBe(false);
  stream.attach('h');
  stream.attach('k');
  await settle();
  for (let seconds = 0; seconds < 120; seconds += 10) {
    stream.say({ host: '', body: 'heartbeat', heartbeat: { sequence: seconds } });
    await clock.advance(10_000);
  }
  expect(fleet.isTelling('h')).toBe(true);
  const [a] = [bridge('a')].map(liveResourceToWire);
  stream.say({ host: 'h', body: 'snapshot', snapshot: { resources: [a!], more: true } });
  expect(fleet.isTelling('h')).toBe(true);
  stream.say({ host: 'h', body: 'snapshot', snapshot: { resources: [], more: false } });
  expect(fleet.isTelling('h')).toBe(false);
  expect(fleet.isTelling('k')).toBe(true);
  stream.end();
  expect(fleet.isTelling('k')).toBe(false);
  fleet.close();
});

test('5,000 agents that come back at once are let in one after another, each once, and then there is peace', async () => {
  const hosts = Array.from({ length: 5000 }, (_, n) => `host-${n}`);
  const { fleet, clock, connect } = await fleetFor(hosts);
  const streams = hosts.map((host) => {
    const stream = connect();
    stream.attach(host);
    return stream;
  });
  const attached = () => streams.filter((stream) => stream.last('attached')).length;
  await settle();
  expect(attached()).toBeLessThanOrEqual(1000);
  let before = attached();
  for (let second = 0; second < 2; second++) {
    for (let turn = 0; turn < 10; turn++) await clock.advance(100);
    for (let waits = 0; waits < 20; waits++) await settle();
    expect(attached() - before).toBeLessThanOrEqual(2010);
    before = attached();
  }
  expect(attached()).toBe(5000);
  expect(streams.filter((stream) => stream.heard.length !== 1)).toEqual([]);
  fleet.close();
});

test('more than can wait are told when to come back', async () => {
  const hosts = Array.from({ length: 12_000 }, (_, n) => `host-${n}`);
  const { fleet, clock, connect } = await fleetFor(hosts);
  const stream = connect();
  for (const host of hosts) stream.attach(host);
  await clock.advance(0);
  const told = stream.heard.flatMap((message) => (message.body === 'refused' ? [message.refused] : []));
  expect(told).toHaveLength(1000);
  expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(['Busy']));
  const times = told.map(({ retryAfterMs }) => retryAfterMs!);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(5_000);
  expect(Math.max(...times)).toBeLessThanOrEqual(6_000);
  fleet.close();
});

test('a server that was busy does not take an agent for silent that it had no time to hear', async () => {
  const { fleet, clock, busy, connect } = await fleetFor(['h']);
  const stream = connect();
  stream.attach('h');
  await settle();
  let ended = false;
  stream.once('close', () => {
    ended = true;
  });
  await clock.advance(SILENCE_MS - 1000);
  // What was due runs late, and before what was said meanwhile is heard.
  busy.ms = 30_000;
  await clock.advance(1000);
  expect(ended).toBe(false);
  stream.say({ host: '', body: 'heartbeat', heartbeat: { sequence: 1 } });
  await clock.advance(SILENCE_MS - 1000);
  expect(ended).toBe(false);
  await clock.advance(2000);
  expect(ended).toBe(true);
  fleet.close();
});

test('what is wrong with a host is heard before its snapshot, and forgotten with its session', async () => {
  const { fleet, connect } = await fleetFor(['h']);
  const changes: LiveChange[] = [];
  fleet.onChange((change) => changes.push(change));
  const stream = connect('h');
  await settle();
  const trouble = { reason: 'LibvirtUnavailable', message: 'it is away', blocking: true };
  stream.say({ host: 'h', body: 'report', report: { troubles: [trouble] } });
  expect(fleet.host('h')).toBeUndefined();
  stream.attach('h');
  await settle();
  stream.say({ host: 'h', body: 'report', report: { troubles: [trouble] } });
  expect(fleet.host('h')).toMatchObject({ connected: false, troubles: [trouble] });
  expect(changes).toEqual([{ type: 'troubles', host: 'h' }]);
  stream.end();
  expect(fleet.host('h')?.troubles).toEqual([]);
  fleet.close();
});

test('who waits for a command hears how far it is, and gives it up by a message to the host', async () => {
  const { fleet, connect } = await fleetFor(['h', 'k']);
  const stream = connect();
  stream.attach('h');
  stream.attach('k');
  await settle();
  for (const host of ['h', 'k'])
    stream.say({ host, body: 'snapshot', snapshot: { resources: [], more: false, unchanged: false } });
  const image: HostResource<'image'> = {
    ...{ kind: 'image', id: 'a'.repeat(64), owner: 'o' },
    spec: { url: 'https://example.org/a', sha256: 'a'.repeat(64), format: 'raw', maxBytes: 1 },
  };
  const told: unknown[] = [];
  const abort = new AbortController();
  const answer = fleet.send(
    'h',
    { owner: 'o', fence: 1, steps: [{ id: 's', verb: 'ensure', resource: image }] },
    { signal: abort.signal, onProgress: (progress) => told.push(progress) },
  );
  await settle();
  const command = stream.last('command')!.command.id;
  const say = (host: string, progress: CommandProgress) => stream.say({ host, body: 'progress', progress });
  say('h', { command, bytes: 5, ofBytes: 0 });
  say('h', { command, bytes: 7, ofBytes: 9 });
  say('h', { command, bytes: 2 ** 60, ofBytes: 9 });
  say('h', { command: 'another', bytes: 8, ofBytes: 9 });
  say('k', { command, bytes: 8, ofBytes: 9 });
  expect(told).toEqual([
    { bytes: 5, ofBytes: undefined },
    { bytes: 7, ofBytes: 9 },
  ]);
  expect(stream.last('cancel')).toBeUndefined();
  abort.abort();
  await settle();
  expect(stream.last('cancel')).toEqual({ host: 'h', body: 'cancel', cancel: { command } });
  const failed = { step: 's', ok: false, reason: 'Aborted', message: 'it was ended', terminal: false };
  stream.say({ host: 'h', body: 'result', result: { command, steps: [failed], refused: null } });
  expect(await answer).toMatchObject([{ step: 's', error: { reason: 'Aborted', retry: 'retry' } }]);
  fleet.close();
});
