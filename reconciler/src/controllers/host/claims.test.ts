import type { Host, Instance } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});
afterEach(() => rig.stop());

const saying = (reason: string, type = 'Ready') =>
  rig.until('Host', 'greedy', (host) => condition(host, type)?.reason === reason);

test('a host that claims more than is plausible gets no instances until somebody declares what it has', async () => {
  await rig.create('Host', 'greedy', hostSpec);
  rig.fleet.connect('greedy', { cpus: 4_294_967_295, memoryMiB: Number.MAX_SAFE_INTEGER });
  const host = await saying('ImplausibleCapacity');
  expect(host?.status).toMatchObject({ cpus: 0, memoryMiB: 0 });
  for (const name of ['a', 'b', 'c']) {
    await rig.create('Instance', name, instanceSpec());
    expect(((await rig.ready('Instance', name)) as Instance).status?.host).toBe('host-1');
  }
  await rig.edit('Host', 'greedy', (object) => {
    (object as Host).spec.capacity = { cpus: 2, memoryMiB: 1024 };
  });
  expect((await saying('Connected'))?.status).toMatchObject({ cpus: 2, memoryMiB: 1024 });
});

test('no more than is declared of a host is handed out, whatever it claims within the limits', async () => {
  await rig.create('InstanceOffering', 'half', { cpus: 1, memoryMiB: 600 });
  await rig.create(
    'Host',
    'greedy',
    { ...hostSpec, capacity: { cpus: 4, memoryMiB: 1024 } },
    { labels: { rack: 'b' } },
  );
  rig.fleet.connect('greedy', { cpus: 4096, memoryMiB: 1 << 26 });
  await saying('Connected');
  const there = { offering: 'half', hostSelector: { matchLabels: { rack: 'b' } } };
  await rig.create('Instance', 'first', instanceSpec(there));
  await rig.ready('Instance', 'first');
  await rig.create('Instance', 'second', instanceSpec(there));
  await rig.until('Instance', 'second', (o) => condition(o, 'Ready')?.reason === 'NoCapacity');
});

test('a tunnel address that an agent made up reaches no other host, and its Host says so', async () => {
  const claims = ['198.51.100.9', 'no.such.address;$(id)', '192.0.2.1', '239.0.0.1'];
  for (const [n, tunnelAddress] of claims.entries()) {
    const name = `liar-${n}`;
    await rig.create('Host', name, hostSpec, { labels: { rack: name } });
    rig.fleet.connect(name, { tunnelAddress, streamAddress: `192.0.2.7${n}` });
    await rig.create('Instance', name, instanceSpec({ hostSelector: { matchLabels: { rack: name } } }));
    await rig.ready('Instance', name);
    await rig.until('Host', name, (o) => condition(o, 'TunnelEndpoint')?.reason === 'AddressDiffers');
  }
  await rig.create('Instance', 'honest', instanceSpec());
  await rig.ready('Instance', 'honest');
  const told = rig.fleet.sent.flatMap(({ command }) =>
    command.steps.flatMap(({ resource }) =>
      resource.kind === 'bridge' && 'peers' in resource.spec ? resource.spec.peers : [],
    ),
  );
  expect(told.length).toBeGreaterThan(0);
  expect(told.filter((peer) => peer !== '192.0.2.1' && !peer.startsWith('192.0.2.7'))).toEqual([]);
});

test('owners that a host makes up are looked for in the store now and then, however often it changes something of them', async () => {
  await rig.create('Host', 'liar', hostSpec);
  const bridge = (n: number, vni = 1) => ({
    ...{ kind: 'bridge' as const, id: `b${n}`, owner: `made-up-${n}`, drift: [] },
    spec: { name: `b${n}`, type: 'vxlan' as const, vni, mtuBytes: 1450, peers: [] },
  });
  const claimed = Array.from({ length: 300 }, (_, n) => bridge(n));
  rig.fleet.connect('liar', {}, claimed);
  await rig.until('Host', 'liar', (host) => condition(host, 'Orphans')?.message?.startsWith('300 resources') === true);
  const get = vi.spyOn(rig.store, 'get');
  const asked = () => get.mock.calls.filter(([key]) => key.includes('made-up')).length;
  for (let round = 0; round < 10; round++) {
    rig.fleet.put('liar', bridge(300 + round, round));
    await rig.until(
      'Host',
      'liar',
      (host) => condition(host, 'Orphans')?.message?.startsWith(`${301 + round} `) === true,
    );
  }
  expect(asked()).toBeLessThan(100);
});
