/** A host that is connected and answers nothing, or obeys nothing, is waited for by itself alone. */
import { type Instance, realAmbient, retryable, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventRing, RecordedEvent } from '../runtime/events.ts';
import { FakeClock } from '../runtime/fake-clock.ts';
import { condition, hostSpec, instanceSpec, makeEstate } from './testing/estate.ts';
import { type Rig, startRig } from './testing/rig.ts';

const BAD = 'host-0';
let rig: Rig;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  rig = await startRig({ ambient: { ...realAmbient(), clock } });
  await makeEstate(rig);
  await rig.create('Host', BAD, hostSpec);
  await clock.advance(1_000);
  rig.fleet.connect(BAD, {}, []);
  for (const name of ['web-0', 'web-1']) await rig.create('Instance', name, instanceSpec());
  await clock.advance(5_000);
  const hosts = ['web-0', 'web-1'].map((name) => hostOf(name));
  expect(new Set(hosts)).toEqual(new Set([BAD, 'host-1']));
});
afterEach(async () => {
  for (const { name } of [...rig.fleet.hosts()]) rig.fleet.disconnect(name);
  await rig.stop();
});

const hostOf = (name: string) => (rig.get('Instance', name) as Instance).status!.host!;
const uid = (kind: string) => rig.get(kind, 'lab')!.metadata.uid;
const told = (kind: string, name = 'lab') => condition(rig.get(kind, name), 'Ready');
const bridgeOn = (host: string) => rig.fleet.host(host)?.resources.get(`bridge/${uid('L2Network')}`);
const peersOn = (host: string) => (bridgeOn(host)?.spec as { peers: string[] } | undefined)?.peers ?? [];

test('hosts learn of each other while one of them answers nothing; it is told once, and named', async () => {
  rig.fleet.hung.add(BAD);
  const before = rig.fleet.sent.filter(({ host }) => host === BAD).length;
  for (const name of ['host-2', 'host-3']) {
    await rig.create('Host', name, { ...hostSpec, cpuOvercommitRatio: 100 });
    rig.fleet.connect(name, { cpus: 100, memoryMiB: 1 << 20 });
    await clock.advance(3_000);
    await rig.create('Instance', `on-${name}`, instanceSpec());
    await clock.advance(5_000);
    expect(peersOn('host-1')).toContain(rig.fleet.host(hostOf(`on-${name}`))!.facts.tunnelAddress);
  }
  const sent = rig.fleet.sent.filter(({ host, command }) => host === BAD && command.owner === uid('L2Network'));
  expect(sent.length).toBeLessThanOrEqual(before + 1);
  expect(condition(rig.get('L2Network', 'lab'), 'Degraded')?.status ?? 'False').toBe('False');
  await clock.advance(60_000);
  expect(condition(rig.get('L2Network', 'lab'), 'Degraded')).toMatchObject({
    status: 'True',
    reason: 'HostNotAnswering',
    message: expect.stringContaining(BAD),
  });
  expect(told('L2Network')?.status).toBe('True');
  rig.fleet.answer(BAD);
  await clock.advance(5_000);
  expect(peersOn(BAD)).toHaveLength(peersOn('host-1').length);
  await clock.advance(60_000);
  expect(condition(rig.get('L2Network', 'lab'), 'Degraded')?.status).toBe('False');
});

test('what a host answers late, when it is no, is said', async () => {
  rig.fleet.hung.add(BAD);
  rig.fleet.put(BAD, { ...bridgeOn(BAD)!, drift: ['it is down'] });
  await clock.advance(5_000);
  rig.fleet.fault = (host) => (host === BAD ? retryable('NetworkFailed', 'there is no such interface') : undefined);
  rig.fleet.answer(BAD);
  await clock.advance(5_000);
  expect(condition(rig.get('L2Network', 'lab'), 'Degraded')).toMatchObject({
    status: 'True',
    message: `there is no such interface (on host ${BAD})`,
  });
});

describe.each([
  ['answers nothing', () => rig.fleet.hung.add(BAD)],
  [
    'refuses everything',
    () => {
      rig.fleet.fault = (host) => (host === BAD ? terminal('Never', 'it will not go') : undefined);
    },
  ],
  [
    'says that it obeys, and has it still',
    () => {
      const { fleet } = rig;
      const take = fleet.take.bind(fleet);
      fleet.take = (host, resource) => host !== BAD && take(host, resource);
    },
  ],
])('a host that %s', (_, befall) => {
  /** Something of each is there, and nobody uses it any more. */
  beforeEach(async () => {
    for (const name of ['web-0', 'web-1']) await rig.remove('Instance', name);
    const left = [...rig.fleet.host(BAD)!.resources.values()].filter(({ kind }) =>
      ['bridge', 'subnet', 'image'].includes(kind),
    );
    await clock.advance(5_000);
    rig.fleet.connect(BAD, {}, left);
    befall();
  });

  test('holds up the deletion of networks and images for a while, by name, and then no longer', async () => {
    const objects = [
      ['Image', 'tiny'],
      ['L3Network', 'lab'],
    ] as const;
    for (const [kind, name] of objects) await rig.remove(kind, name);
    await clock.advance(40_000);
    for (const [kind, name] of objects) {
      expect(told(kind, name), kind).toMatchObject({ status: 'False' });
      expect(told(kind, name)?.message).toContain(BAD);
      expect(told(kind, name)?.message).not.toContain('host-1');
    }
    await clock.advance(400_000);
    for (const [kind, name] of objects) expect(rig.get(kind, name), kind).toBeUndefined();
    await rig.remove('L2Network', 'lab');
    await clock.advance(400_000);
    expect(rig.get('L2Network', 'lab')).toBeUndefined();
    expect(rig.fleet.keysOn('host-1')).toEqual([]);
    const said = ((rig.context.events as EventRing).list() as RecordedEvent[]).map(
      ({ reason, message }) => `${reason} ${message}`,
    );
    expect(said.filter((line) => line.startsWith('LeftOnHost')).length).toBe(3);
    // What it keeps goes when it obeys.
    rig.fleet.fault = () => undefined;
    delete (rig.fleet as { take?: unknown }).take;
    rig.fleet.answer(BAD);
    await clock.advance(120_000);
    expect(rig.fleet.keysOn(BAD)).toEqual([]);
  });

  test('holds up nothing from the moment on in which it is lost', async () => {
    await rig.remove('Image', 'tiny');
    await rig.remove('L3Network', 'lab');
    await clock.advance(40_000);
    rig.fleet.disconnect(BAD);
    await clock.advance(31_000);
    expect([rig.get('Image', 'tiny'), rig.get('L3Network', 'lab')]).toEqual([undefined, undefined]);
  });
});
