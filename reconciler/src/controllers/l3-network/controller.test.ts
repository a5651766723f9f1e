import { afterEach, beforeEach, expect, it } from 'vitest';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

it('removes a subnet that nobody uses from a host while an instance on another blocks the deletion', async () => {
  await rig.create('Instance', 'web', instanceSpec());
  await rig.ready('Instance', 'web');
  const carried = [...rig.fleet.host('host-1')!.resources.values()].filter(({ kind }) =>
    ['bridge', 'subnet'].includes(kind),
  );
  expect(carried.map(({ kind }) => kind).sort()).toEqual(['bridge', 'subnet']);
  // It refers to the network no more, and holds its address until it can move.
  await rig.edit('Instance', 'web', ({ spec }) => {
    spec.interfaces = [{ name: 'eth0', l3Network: 'missing' }];
  });
  await rig.remove('L3Network', 'lab');
  const blocked = await rig.until('L3Network', 'lab', (lab) => condition(lab, 'Ready')?.reason === 'DeletionBlocked');
  expect(condition(blocked, 'Ready')?.message).toContain('some do on host-1');
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2', {}, carried);
  const removed = new Promise<void>((resolve) => {
    rig.fleet.onChange(() => rig.fleet.keysOn('host-2').every((key) => !key.startsWith('subnet/')) && resolve());
  });
  await removed;
  expect(rig.fleet.keysOn('host-1').some((key) => key.startsWith('subnet/'))).toBe(true);
});

it.each([
  ['L3Network', 'subnet', 'its DHCP server does not run'],
  ['L2Network', 'bridge', 'its bridge pb0 is missing'],
])(
  'says on the %s what was found on a host and that it was repaired, in a condition and in events',
  async (kind, resourceType, sentence) => {
    await rig.create('Instance', 'web', instanceSpec());
    await rig.ready('Instance', 'web');
    const told: string[] = [];
    rig.context.events.record = ({ object, type, reason, message }) => {
      if (object.kind === kind) told.push(`${type} ${reason}: ${message}`);
    };
    const resource = [...rig.fleet.host('host-1')!.resources.values()].find((one) => one.kind === resourceType)!;
    rig.fleet.put('host-1', { ...resource, drift: [sentence] } as typeof resource);
    const repaired = await rig.until(kind, 'lab', (lab) => condition(lab, 'Drifted')?.status === 'False');
    const found = `${sentence} (on host-1)`;
    expect(condition(repaired, 'Drifted')).toMatchObject({
      reason: 'Repaired',
      message: `was repaired; what was found: ${found}`,
    });
    expect(condition(repaired, 'Ready')?.status).toBe('True');
    expect(rig.fleet.host('host-1')!.resources.get(`${resourceType}/${resource.id}`)!.drift).toEqual([]);
    await expect
      .poll(() => told.map((line) => line.replace('default/', '')))
      .toEqual([
        `Warning Drifted: lab: ${found}; it is repaired`,
        `Normal Repaired: lab: was repaired; what was found: ${found}`,
      ]);
  },
);
