import { type Instance, realAmbient, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const LIAR = 'host-0';
let rig: Rig;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  rig = await startRig({ ambient: { ...realAmbient(), clock } });
  await makeEstate(rig);
  await clock.advance(5_000);
  await rig.ready('Image', 'tiny');
  // Empty, and large: the first choice for everything.
  await rig.create('Host', LIAR, { ...hostSpec, cpuOvercommitRatio: 100 });
  rig.fleet.connect(LIAR, { cpus: 1000, memoryMiB: 1 << 20 }, []);
  await clock.advance(5_000);
});
afterEach(() => rig.stop());

const hostOf = (name: string) => (rig.get('Instance', name) as Instance).status?.host;
const liars = (...hosts: string[]) => {
  rig.fleet.fault = (host, verb, { kind }) =>
    hosts.includes(host) && verb === 'ensure' && kind === 'image'
      ? terminal('ChecksumMismatch', 'another sum')
      : undefined;
};

test('instances of an image that one host cannot make, while another has it, are made elsewhere', async () => {
  liars(LIAR);
  for (const name of ['a', 'b', 'c']) await rig.create('Instance', name, instanceSpec());
  await clock.advance(60_000);
  expect(['a', 'b', 'c'].map(hostOf)).toEqual(['host-1', 'host-1', 'host-1']);
  for (const name of ['a', 'b', 'c']) expect(condition(rig.get('Instance', name), 'Ready')?.status).toBe('True');
  // It was asked once: what it said of the image is remembered.
  const asked = rig.fleet.sent.filter(
    ({ host, command }) => host === LIAR && command.steps.some(({ resource }) => resource.kind === 'image'),
  );
  expect(asked.length).toBeLessThanOrEqual(3);
  await rig.create('Instance', 'd', instanceSpec());
  await clock.advance(10_000);
  expect(hostOf('d')).toBe('host-1');
  expect(condition(rig.get('Image', 'tiny'), 'Ready')?.status).toBe('True');
  // An agent that was started anew may have it.
  liars();
  rig.fleet.disconnect(LIAR);
  rig.fleet.connect(LIAR, { cpus: 1000, memoryMiB: 1 << 20 }, []);
  await clock.advance(5_000);
  await rig.create('Instance', 'e', instanceSpec());
  await clock.advance(10_000);
  expect(hostOf('e')).toBe(LIAR);
});

test('an instance says so when there is no other host for it, or too many say the same', async () => {
  rig.fleet.fault = (_host, verb, { kind }) =>
    verb === 'ensure' && kind === 'image' ? terminal('ChecksumMismatch', 'another sum') : undefined;
  for (const name of ['host-2', 'host-3', 'host-4']) {
    await rig.create('Host', name, { ...hostSpec, cpuOvercommitRatio: 100 });
    rig.fleet.connect(name, { cpus: 900, memoryMiB: 1 << 20 }, []);
  }
  await rig.edit('Host', 'host-1', (host) => Object.assign(host.spec, { unschedulable: true }));
  await clock.advance(5_000);
  await rig.create('Instance', 'a', instanceSpec());
  await clock.advance(120_000);
  const said = condition(rig.get('Instance', 'a'), 'Ready');
  expect([said?.status, said?.reason]).toEqual(['False', 'ChecksumMismatch']);
  expect(condition(rig.get('Instance', 'a'), 'Stalled')?.status).toBe('True');
});
