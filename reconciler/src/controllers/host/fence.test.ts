import { type Instance, realAmbient, retryable } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchCredentials } from '../../fleet/credentials.ts';
import { DISCONNECT_GRACE_MS } from '../../fleet/liveness.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { keys } from '../../store/keys.ts';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { fenceHost } from './fence.ts';

let rig: Rig;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  rig = await startRig({ ambient: { ...realAmbient(), clock } });
  await makeEstate(rig);
  await clock.advance(1_000);
});
afterEach(() => rig.stop());

const why = (name: string) => condition(rig.get('Instance', name), 'Ready');
const hostOf = (name: string) => (rig.get('Instance', name) as Instance).status?.host;
const uidOf = (name: string) => rig.get('Instance', name)!.metadata.uid;

/** An instance on host-1, and then a second host. */
async function instanceOnHost1(more: object = {}): Promise<void> {
  await rig.create('Instance', 'web-0', instanceSpec(more));
  await clock.advance(2_000);
  expect(hostOf('web-0')).toBe('host-1');
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  await clock.advance(2_000);
}

async function lose(host: string): Promise<void> {
  rig.fleet.disconnect(host);
  await clock.advance(DISCONNECT_GRACE_MS + 5_000);
}

const fence = (host = 'host-1') => fenceHost(rig.context, host, 'ada');

test('a host that is connected is not off, and one that nobody declared is none', async () => {
  await expect(fence()).rejects.toMatchObject({ reason: 'HostConnected', retry: 'terminal' });
  rig.fleet.disconnect('host-1');
  rig.fleet.telling.add('host-1');
  await expect(fence()).rejects.toMatchObject({ reason: 'HostConnected' });
  await expect(fence('nobody')).rejects.toMatchObject({ reason: 'NotFound' });
  expect(rig.get('Host', 'host-1')?.status).not.toHaveProperty('fenced');
});

test('an agent that speaks for a host which is off is not believed any more, when a person says so', async () => {
  const { store, fleet } = rig;
  const key = keys.credential('host-1');
  const value = JSON.stringify({ sha256: 'ab'.repeat(32), registers: '*' });
  await store.commit({ preconditions: [], ops: [{ type: 'put', key, value }] });
  // As sessions do.
  const end = new AbortController();
  const watching = watchCredentials(
    ...([store, clock, end.signal, (host: string) => host === 'host-1' && fleet.disconnect(host), () => {}] as const),
  );
  await clock.advance(0);
  expect(await fenceHost(rig.context, 'host-1', 'ada', true)).toEqual({ host: 'host-1', instances: 0 });
  expect(rig.get('Host', 'host-1')?.status).toMatchObject({ fenced: { by: 'ada' } });
  expect(JSON.parse((await store.get(key))!.value)).toMatchObject({ evicted: true, registers: '*' });
  end.abort();
  await watching;
});

describe('an instance whose disk may be given up', () => {
  beforeEach(() => instanceOnHost1({ allowDataLoss: true }));

  test('stays where it is until a person says that the host is off, and then goes on elsewhere as who it was', async () => {
    const before = rig.get('Instance', 'web-0') as Instance;
    await lose('host-1');
    await clock.advance(600_000);
    expect(hostOf('web-0')).toBe('host-1');
    expect(await fence()).toEqual({ host: 'host-1', instances: 1 });
    await clock.advance(5_000);
    const after = rig.get('Instance', 'web-0') as Instance;
    expect(after.status?.host).toBe('host-2');
    expect(why('web-0')).toMatchObject({ status: 'True', reason: 'Running' });
    expect(after.status?.interfaces).toEqual(before.status?.interfaces);
    expect(condition(rig.get('Host', 'host-1'), 'Ready')).toMatchObject({ status: 'False', reason: 'HostFenced' });
    expect(rig.get('Host', 'host-1')?.status).toMatchObject({ fenced: { by: 'ada' } });
  });

  test('leaves a host that comes back nothing but removals, until it has removed what went on; then it is as any other', async () => {
    await lose('host-1');
    await fence();
    await clock.advance(5_000);
    const sent = rig.fleet.sent.length;
    let obeys = false;
    rig.fleet.fault = (host) => (host === 'host-1' && !obeys ? retryable('Busy', 'later') : undefined);
    rig.fleet.connect('host-1');
    await clock.advance(60_000);
    // It does not obey yet: it is told nothing else, and gets nothing new.
    expect(rig.get('Host', 'host-1')?.status).toHaveProperty('fenced');
    await rig.create('Instance', 'web-1', instanceSpec());
    await clock.advance(5_000);
    expect(hostOf('web-1')).toBe('host-2');
    obeys = true;
    await clock.advance(60_000);
    expect(rig.get('Host', 'host-1')?.status).not.toHaveProperty('fenced');
    expect(condition(rig.get('Host', 'host-1'), 'Ready')).toMatchObject({ status: 'True', reason: 'Connected' });
    const told = rig.fleet.sent.slice(sent).filter(({ host }) => host === 'host-1');
    expect(told.length).toBeGreaterThan(0);
    const verbs = new Set(told.flatMap(({ command }) => command.steps.map(({ verb }) => verb)));
    expect([...verbs]).toEqual(['remove']);
    expect(rig.fleet.keysOn('host-1').filter((key) => key.includes(uidOf('web-0')))).toEqual([]);
    expect(hostOf('web-0')).toBe('host-2');
  });

  test('keeps its old disk while the new one cannot be seen, but never two that run', async () => {
    await lose('host-1');
    await fence();
    await clock.advance(5_000);
    await lose('host-2');
    rig.fleet.connect('host-1');
    await clock.advance(60_000);
    expect(rig.fleet.keysOn('host-1').filter((key) => key.includes(uidOf('web-0')))).toEqual([
      `disk/${uidOf('web-0')}.root`,
    ]);
    rig.fleet.connect('host-2');
    await clock.advance(60_000);
    expect(rig.fleet.keysOn('host-1').filter((key) => key.includes(uidOf('web-0')))).toEqual([]);
    expect(rig.get('Host', 'host-1')?.status).not.toHaveProperty('fenced');
  });

  test('waits for room elsewhere, and stays when its host is back before there is any', async () => {
    await rig.edit('Host', 'host-2', (object) => {
      object.spec.unschedulable = true;
    });
    await lose('host-1');
    await fence();
    await clock.advance(60_000);
    expect(why('web-0')?.status).toBe('False');
    rig.fleet.connect('host-1');
    await clock.advance(60_000);
    expect(hostOf('web-0')).toBe('host-1');
    expect(why('web-0')).toMatchObject({ status: 'True', reason: 'Running' });
    expect(rig.get('Host', 'host-1')?.status).not.toHaveProperty('fenced');
  });

  test('also when an update was under way on the host', async () => {
    rig.fleet.fault = (_, __, resource) => (resource.kind === 'domain' ? retryable('Busy', 'later') : undefined);
    await rig.edit('Instance', 'web-0', (object) => {
      object.spec.power = 'Stopped';
    });
    await clock.advance(2_000);
    await lose('host-1');
    rig.fleet.fault = () => undefined;
    await fence();
    await clock.advance(60_000);
    expect(hostOf('web-0')).toBe('host-2');
    expect(why('web-0')).toMatchObject({ status: 'True', reason: 'Stopped' });
  });
});

describe('an instance whose disk may not be given up', () => {
  beforeEach(() => instanceOnHost1());

  test('waits, and says what to do; what it had is there when the host is back', async () => {
    const resources = rig.fleet.keysOn('host-1');
    await lose('host-1');
    await fence();
    await clock.advance(60_000);
    expect(hostOf('web-0')).toBe('host-1');
    expect(why('web-0')).toMatchObject({ status: 'False', reason: 'HostFenced', message: /allowDataLoss/ });
    const sent = rig.fleet.sent.length;
    rig.fleet.connect('host-1');
    await clock.advance(60_000);
    expect(why('web-0')).toMatchObject({ status: 'True', reason: 'Running' });
    expect(rig.fleet.keysOn('host-1')).toEqual(resources);
    const verbs = rig.fleet.sent.slice(sent).flatMap(({ command }) => command.steps.map(({ verb }) => verb));
    expect(verbs).not.toContain('remove');
  });

  test('goes on elsewhere when a person gives it up after all', async () => {
    await lose('host-1');
    await fence();
    await clock.advance(5_000);
    await rig.edit('Instance', 'web-0', (object) => {
      object.spec.allowDataLoss = true;
    });
    await clock.advance(5_000);
    expect(hostOf('web-0')).toBe('host-2');
  });

  test('can be deleted without its host, and its host deleted after it', async () => {
    await lose('host-1');
    await rig.remove('Instance', 'web-0');
    await clock.advance(60_000);
    expect(why('web-0')).toMatchObject({ message: /plumb host fence host-1 --confirmed-off/ });
    await fence();
    await clock.advance(60_000);
    expect(rig.get('Instance', 'web-0')).toBeUndefined();
    expect(await rig.keys('/alloc/address/')).toHaveLength(0);
    await rig.remove('Host', 'host-1');
    await clock.advance(5_000);
    expect(rig.get('Host', 'host-1')).toBeUndefined();
  });
});

test('what was being made on a host that is off is made elsewhere', async () => {
  rig.fleet.fault = (host) => (host === 'host-1' ? retryable('Busy', 'later') : undefined);
  await rig.create('Instance', 'web-0', instanceSpec());
  await clock.advance(2_000);
  await lose('host-1');
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  await clock.advance(60_000);
  expect(hostOf('web-0')).toBeUndefined();
  await fence();
  await clock.advance(60_000);
  expect(hostOf('web-0')).toBe('host-2');
});
