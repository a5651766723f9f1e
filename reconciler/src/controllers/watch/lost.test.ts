import { realAmbient } from '@plumb/schemas';
import { expect, it } from 'vitest';
import { DISCONNECT_GRACE_MS } from '../../fleet/liveness.ts';
import { FakeFleet } from '../../fleet/testing/fake-fleet.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { MemoryStore } from '../../store/memory.ts';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const HOSTS = Array.from({ length: 6 }, (_, n) => `host-${n + 1}`);
const INSTANCES = Array.from({ length: 18 }, (_, n) => `web-${n}`);

/** A control plane that ran instances on all hosts, was stopped, and is started on its store again: all hosts are away. */
async function startAgain() {
  const clock = new FakeClock();
  const ambient = { ...realAmbient(), clock };
  const store = new MemoryStore();
  const first = await startRig({ store, ambient });
  await makeEstate(first);
  for (const host of HOSTS.slice(1)) {
    await first.create('Host', host, hostSpec);
    first.fleet.connect(host);
  }
  await clock.advance(1000);
  for (const name of INSTANCES) {
    await first.create('Instance', name, instanceSpec());
    await clock.advance(1000);
  }
  await clock.advance(20_000);
  const carried = new Map(HOSTS.map((host) => [host, [...first.fleet.host(host)!.resources.values()]]));
  const facts = new Map(HOSTS.map((host) => [host, first.fleet.host(host)!.facts]));
  await first.stop();

  const fleet = new FakeFleet();
  const rig = await startRig({ store, ambient, fleet });
  const written: string[] = [];
  rig.cache.onChange(({ key }) => written.push(key));
  const come = (host: string) => fleet.connect(host, facts.get(host)!, carried.get(host)!);
  return { rig, clock, fleet, written, come };
}

const readyIn = (rig: Rig, name: string) => condition(rig.get('Instance', name), 'Ready')?.status;

it('writes nothing of instances whose hosts take long to be heard after a start', async () => {
  const { rig, clock, fleet, written, come } = await startAgain();
  try {
    fleet.crowded = true;
    await clock.advance(2 * DISCONNECT_GRACE_MS);
    // The line is empty, and what lives on the hosts is still on its way.
    for (const host of HOSTS) fleet.telling.add(host);
    fleet.crowded = false;
    await clock.advance(2 * DISCONNECT_GRACE_MS);
    for (const host of HOSTS) {
      come(host);
      fleet.telling.delete(host);
      await clock.advance(10_000);
    }
    await clock.advance(60_000);
    expect(written).toEqual([]);
    expect(INSTANCES.map((name) => readyIn(rig, name))).toEqual(INSTANCES.map(() => 'True'));
    expect(rig.errors).toEqual([]);
  } finally {
    await rig.stop();
  }
});

it('looks once at each instance of a host that does not come', async () => {
  const { rig, clock, written, come } = await startAgain();
  try {
    const [away, ...others] = HOSTS;
    for (const host of others) come(host);
    await clock.advance(DISCONNECT_GRACE_MS - 1000);
    expect(written).toEqual([]);
    await clock.advance(60_000);
    const lost = INSTANCES.filter((name) => (rig.get('Instance', name)!.status as { host: string }).host === away);
    expect(lost.length).toBeGreaterThan(0);
    const keys = [`/objects/hosts//${away}`, ...lost.map((name) => `/objects/instances/default/${name}`)];
    expect(written.map((key) => key.split('/').at(-1)).sort()).toEqual(keys.map((key) => key.split('/').at(-1)).sort());
    expect(lost.map((name) => readyIn(rig, name))).toEqual(lost.map(() => 'Unknown'));

    come(away!);
    await clock.advance(60_000);
    expect(lost.map((name) => readyIn(rig, name))).toEqual(lost.map(() => 'True'));
    expect(written).toHaveLength(2 * keys.length);
  } finally {
    await rig.stop();
  }
});
