import { afterEach, beforeEach, expect, it } from 'vitest';
import { INSTANCES } from '../plan/claims.ts';
import { keys } from '../store/keys.ts';
import { preview, previewAll } from './preview.ts';
import { at, instanceSpec, makeEstate, makeHost } from './testing/estate.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;

const objects = (cpus = 1, address = '10.20.0.11') => [
  { kind: 'InstanceOffering', metadata: { name: 'small' }, spec: { cpus, memoryMiB: 128 } },
  { kind: 'L2Network', metadata: { name: 'lab' }, spec: { zone: 'home', type: 'vxlan', vni: 100 } },
  {
    kind: 'L3Network',
    metadata: { name: 'lab' },
    spec: { l2Network: 'lab', ipv4: { cidr: '10.20.0.0/24', gateway: '10.20.0.1' } },
  },
  { kind: 'Image', metadata: { name: 'tiny' }, spec: { url: 'file:///t', sha256: 'a'.repeat(64), format: 'qcow2' } },
  {
    kind: 'Instance',
    metadata: { name: 'web-0' },
    spec: {
      zone: 'home',
      offering: 'small',
      image: 'tiny',
      interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: [address] }],
    },
  },
];

beforeEach(async () => {
  rig = await startRig();
  await makeHost(rig);
  await rig.ready('Host', 'host-1');
});

afterEach(() => rig.stop());

it('plans a whole declaration before any of it is there, and writes nothing', async () => {
  const revision = rig.store.revision();
  const planned = preview(rig.context, objects());
  expect(planned.map((p) => p.action)).toEqual(['create', 'create', 'create', 'create', 'create']);
  expect(planned[4]!.steps.map((s) => s.id.split(' ', 2).join(' '))).toEqual([
    'make image',
    'make bridge',
    'make subnet',
    'make disk',
    'make seed',
    'make port',
    'make domain',
  ]);
  expect(rig.store.revision()).toBe(revision);
  expect(rig.context.index.use('host-1')[INSTANCES] ?? 0).toBe(0);
});

it('tells beforehand what an edit disturbs, what it leaves, and what can never be', async () => {
  for (const { kind, metadata, spec } of objects())
    await rig.create(kind, metadata.name, {
      ...spec,
      ...(kind === 'Image' ? { maxSizeMiB: 100 } : {}),
      ...(kind === 'Instance'
        ? { power: 'Running', restartPolicy: 'OnFailure', driftPolicy: 'Repair', allowDataLoss: false }
        : {}),
    });
  await rig.ready('Instance', 'web-0');
  const same = preview(rig.context, [objects()[4]!]);
  expect(same).toMatchObject([
    { kind: 'Instance', namespace: 'default', name: 'web-0', action: 'none', changes: [], steps: [] },
  ]);
  const moved = preview(rig.context, [objects(1, '10.20.0.99')[4]!])[0]!;
  expect(moved.action).toBe('update');
  expect(moved.steps.length).toBeGreaterThan(0);
  const outside = preview(rig.context, [objects(1, '10.99.0.1')[4]!])[0]!;
  expect(outside.problem).toMatchObject({ reason: 'AddressOutsideCIDR', terminal: true });
  expect(() => preview(rig.context, [objects(0)[0]!])).toThrow('spec.cpus');
});

it('tells what an edited offering does to the instances that have it', async () => {
  await rig.stop();
  rig = await startRig();
  await makeEstate(rig);
  for (const name of ['web-0', 'web-1']) {
    await rig.create('Instance', name, instanceSpec());
    await rig.ready('Instance', name);
  }
  const edit = (spec: object) => [{ kind: 'InstanceOffering', metadata: { name: 'small' }, spec: { ...spec } }];
  const [offering, ...live] = preview(rig.context, edit({ cpus: 2, memoryMiB: 128 }));
  expect(offering).toMatchObject({ kind: 'InstanceOffering', action: 'update', steps: [] });
  expect(live).toMatchObject(
    ['web-0', 'web-1'].map((name) => ({ name, action: 'none', steps: [{ disruption: 'live' }] })),
  );
  const [, ...kept] = preview(rig.context, edit({ cpus: 1, memoryMiB: 256 }));
  const note = expect.stringContaining('it gets them when it is next started');
  expect(kept).toMatchObject(['web-0', 'web-1'].map((name) => ({ name, steps: [], note })));
  expect(preview(rig.context, edit({ cpus: 1, memoryMiB: 128 }))).toHaveLength(1);
});

it('tells what a deletion removes, what keeps it, and plans the rest as if it had gone', async () => {
  await rig.stop();
  rig = await startRig();
  await makeEstate(rig);
  await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.50')));
  await rig.ready('Instance', 'web-0');
  const key = (plural: string, name: string, namespace?: string) => keys.object(plural, namespace, name);
  const instance = { kind: 'Instance', key: key('instances', 'web-0', 'default') };
  const image = { kind: 'Image', key: key('images', 'tiny') };
  const successor = { kind: 'Instance', metadata: { name: 'web-1' }, spec: instanceSpec(at('10.20.0.50')) };
  const large = { kind: 'InstanceOffering', metadata: { name: 'whole' }, spec: { cpus: 64, memoryMiB: 128 } };
  const whole = { kind: 'Instance', metadata: { name: 'web-2' }, spec: instanceSpec({ offering: 'whole' }) };
  expect(previewAll(rig.context, [large, whole]).own[1]!.problem).toMatchObject({ reason: 'NoCapacity' });
  expect(previewAll(rig.context, [large, whole], { deletions: [instance] }).own[1]!.problem).toBeUndefined();

  // Its address is held until it has let go of it, as in the real run.
  const { own } = previewAll(rig.context, [successor], { deletions: [instance] });
  expect(own[0]!.problem).toMatchObject({ message: expect.stringContaining('is held by Instance default/web-0') });
  expect(own[1]).toMatchObject({ kind: 'Instance', name: 'web-0', action: 'delete' });
  expect(own[1]!.steps.map(({ id, disruption }) => [id.split(' ', 2).join(' '), disruption])).toEqual(
    ['domain', 'port', 'seed', 'disk'].map((type) => [`remove ${type}`, 'dataLoss']),
  );
  expect(rig.context.index.use('host-1')[INSTANCES]).toBe(1);

  const [blocked] = previewAll(rig.context, [], { deletions: [image] }).own;
  expect(blocked).toMatchObject({ problem: { reason: 'DeletionBlocked', message: expect.stringContaining('web-0') } });
  const [free] = previewAll(rig.context, [], { deletions: [image, instance] }).own;
  expect(free!.problem).toBeUndefined();
  const gone = { kind: 'Image', key: key('images', 'none') };
  expect(previewAll(rig.context, [], { deletions: [gone] }).own).toMatchObject([
    { action: 'none', note: 'is not there' },
  ]);
});

it('tells what a manager cannot have, what it would take, and what stays since another owns it', async () => {
  const entry = (manager: string, fieldsV1: object) => ({
    ...{ manager, operation: 'Apply', apiVersion: 'plumb.dev/v1', fieldsType: 'FieldsV1' },
    fieldsV1: fieldsV1 as Record<string, unknown>,
  });
  const managedFields = [
    entry('plumb', { 'f:metadata': { 'f:labels': { 'f:both': {}, 'f:mine': {} } } }),
    entry('terraform', {
      'f:metadata': { 'f:labels': { 'f:both': {} } },
      'f:spec': { 'f:cpus': {}, 'f:memoryMiB': {} },
    }),
  ];
  const labels = { both: 'x', mine: 'x' };
  await rig.create('InstanceOffering', 'owned', { cpus: 1, memoryMiB: 128 }, { labels, managedFields });
  await rig.ready('InstanceOffering', 'owned');
  const plan = (force: boolean) =>
    preview(rig.context, [{ kind: 'InstanceOffering', metadata: { name: 'owned' }, spec: { cpus: 2 } }], {
      by: { manager: 'plumb', force },
    })[0]!;
  const stays = 'is declared no more, and stays: metadata.labels.both (owned by "terraform")';
  expect(plan(false).problem).toMatchObject({
    reason: 'Conflict',
    message: expect.stringContaining('spec.cpus (owned by "terraform")'),
  });
  expect(plan(true)).toMatchObject({
    action: 'update',
    note: `takes spec.cpus (owned by "terraform"); ${stays}`,
  });
  expect(plan(true).problem).toBeUndefined();
  expect(
    plan(true)
      .changes.map(({ field }) => field)
      .sort(),
  ).toEqual(['metadata.labels.mine', 'spec.cpus']);
});
