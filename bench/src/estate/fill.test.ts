import { startRig } from '@plumb/reconciler/controllers/testing/rig.ts';
import { FakeFleet } from '@plumb/reconciler/fleet/testing/fake-fleet.ts';
import { FakeClock } from '@plumb/reconciler/runtime/fake-clock.ts';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { MemoryStore } from '@plumb/reconciler/store/memory.ts';
import type { HostResource, LiveResource } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { Estate } from './estate.ts';
import { fillEstate } from './fill.ts';

const live = (resource: HostResource): LiveResource =>
  ({
    ...resource,
    drift: [],
    ...(resource.kind === 'domain' ? { domain: { state: 'running', reason: 'booted' } } : {}),
  }) as LiveResource;

async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A control plane over the store and hosts that carry what they should, but for what `change` does; runs a minute. */
async function live60s(store: MemoryStore, estate: Estate, change: (fleet: FakeFleet) => void = () => {}) {
  const clock = new FakeClock();
  const fleet = new FakeFleet();
  const rig = await startRig({ store, fleet, ambient: { ...realAmbient(), clock } });
  await turns();
  for (let host = 0; host < estate.hosts; host++) {
    const name = estate.hostName(host);
    // A host tells its facts and everything that lives there at once.
    fleet.connect(name, estate.facts(host), estate.resourcesOn(host).map(live));
  }
  change(fleet);
  for (let second = 0; second < 60; second++) {
    clock.advance(1000);
    await turns();
  }
  await rig.stop();
  return { fleet, errors: rig.errors };
}

test.each([false, true])(
  'a server on a filled store, with hosts that carry the estate, changes nothing (grouped: %s)',
  async (grouped) => {
    const store = new MemoryStore();
    const estate = await fillEstate(store, { hosts: 3, instances: 10, grouped });
    const revision = store.revision();
    const { fleet, errors } = await live60s(store, estate);
    expect(errors).toEqual([]);
    expect(fleet.sent).toEqual([]);
    const { entries } = await store.list('/');
    expect(entries.filter((e) => e.revision > revision)).toEqual([]);
    expect(store.revision()).toBe(revision);
  },
);

test('what is missing on a host is found: the estate is looked at', async () => {
  const store = new MemoryStore();
  const estate = await fillEstate(store, { hosts: 3, instances: 10 });
  const domain = estate.resourcesOn(1).find((t) => t.kind === 'domain')!;
  const { fleet } = await live60s(store, estate, (f) => f.take(estate.hostName(1), domain));
  expect(fleet.sent.map(({ host }) => host)).toEqual([estate.hostName(1)]);
  expect(fleet.keysOn(estate.hostName(1))).toContain(`domain/${domain.id}`);
});

test('its objects are those that the product makes', async () => {
  const store = new MemoryStore();
  const estate = await fillEstate(store, { hosts: 2, instances: 4 });
  const clock = new FakeClock();
  const fleet = new FakeFleet();
  const rig = await startRig({ store, fleet, ambient: { ...realAmbient(), clock } });
  for (let host = 0; host < 2; host++)
    fleet.connect(estate.hostName(host), estate.facts(host), estate.resourcesOn(host).map(live));
  const like = estate.instance(0);
  await rig.create('Instance', 'made', like.spec, { labels: like.metadata.labels });
  const made = await rig.ready('Instance', 'made');
  await rig.stop();
  const shape = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shape);
    if (typeof value !== 'object' || value === null) return typeof value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, inner]) => [key, shape(inner)])
        .sort(),
    );
  };
  const { resourceVersion: _, ...metadata } = made.metadata;
  const { resourceVersion: __, ...likeMetadata } = like.metadata;
  expect(shape({ ...made, metadata })).toEqual(shape({ ...like, metadata: likeMetadata }));
  const held = { l3: estate.l3[0]!.metadata.uid };
  expect((await store.get(keys.address(held.l3, '10.0.0.6')))?.value).toBe(made.metadata.uid);
});

test('the same options describe the same estate, and no two instances share an Ethernet address', () => {
  const options = { hosts: 100, instances: 20_000 };
  const [one, other] = [new Estate(options), new Estate(options)];
  expect(one.instance(7)).toEqual(other.instance(7));
  const macs = new Set(Array.from({ length: 20_000 }, (_, i) => one.allocation(i).interfaces[0]!.macAddress));
  expect(macs.size).toBe(20_000);
});
