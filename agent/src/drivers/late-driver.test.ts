import { retryable, terminal } from '@plumb/schemas';
import { beforeEach, expect, test } from 'vitest';
import type { Driver, DriverChange } from './driver.ts';
import { openOrWait } from './late-driver.ts';
import { ManualClock } from './libvirt/rpc/manual-clock.ts';
import { SimulatedHost } from './simulated/simulated-host.ts';

const away = retryable('LibvirtUnavailable', 'Libvirt has no socket: start libvirtd');
const facts = { cpus: 2, memoryMiB: 1024 };

let clock: ManualClock;
let outcome: Driver | Error;
let opened: number;
beforeEach(() => {
  clock = new ManualClock();
  opened = 0;
});

const open = () =>
  openOrWait({
    name: 'libvirt',
    facts: async () => facts,
    open: async () => {
      opened += 1;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    clock,
    log: () => {},
  });
const inner = () => new SimulatedHost({ clock, random: { next: () => 0.5 }, ...facts });
const bridge = {
  kind: 'bridge',
  id: 'b',
  owner: 'b',
  spec: { name: 'b', type: 'vxlan', vni: 1, mtuBytes: 1450, peers: [] },
} as const;
const resource = { ...bridge, spec: { ...bridge.spec, peers: [] } };
const turn = () => new Promise((done) => setImmediate(done));

test('a hypervisor that is there is used as it is; one that never will be is refused', async () => {
  outcome = inner();
  expect(await open()).toBe(outcome);
  outcome = terminal('HostUnsupported', 'no QEMU');
  await expect(open()).rejects.toMatchObject({ reason: 'HostUnsupported' });
});

test('one that is away is said in words, refuses work for now, and is waited for', async () => {
  outcome = away;
  const driver = await open();
  expect(await driver.facts()).toEqual(facts);
  expect(driver.troubles()).toEqual([{ reason: 'LibvirtUnavailable', message: away.message, blocking: true }]);
  for (const work of [driver.observe(), driver.ensure(resource), driver.remove(resource)])
    await expect(work).rejects.toMatchObject({ reason: 'LibvirtUnavailable', retry: 'retry' });
  const told: DriverChange['type'][] = [];
  driver.onChange(({ type }) => told.push(type));
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000);
    await turn();
  }
  expect(opened).toBeGreaterThan(5);
  expect(opened).toBeLessThan(12);
  expect(told).toEqual([]);
  outcome = inner();
  clock.advance(10_000);
  await turn();
  expect(told).toEqual(['troubles', 'lost']);
  expect(driver.troubles()).toEqual([]);
  await driver.ensure(resource);
  expect(await driver.observe()).toMatchObject([{ kind: 'bridge' }]);
  expect(told).toEqual(['troubles', 'lost', 'changed']);
});

test('one that is waited for is let go when the agent ends', async () => {
  outcome = away;
  const driver = await open();
  await driver.close();
  expect(clock.waiting).toBe(0);
});
