import { terminal } from '@plumb/schemas';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys } from '../../store/keys.ts';
import { preview } from '../preview.ts';
import { condition, makeNetworks } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

const offering = (cpus: number) => ({
  kind: 'InstanceOffering',
  metadata: { name: 'small' },
  spec: { cpus, memoryMiB: 128 },
});
const instance = (name: string, more: object = {}) => ({
  kind: 'Instance',
  metadata: { name },
  spec: {
    zone: 'home',
    offering: 'small',
    image: 'tiny',
    interfaces: [{ name: 'eth0', l3Network: 'lab' }],
    ...more,
  },
});
const apply = (name: string, objects: unknown[], deadlineSeconds = 600) =>
  rig.create('ChangeSet', name, { objects, deadlineSeconds });
const readyOf = (object: unknown) =>
  (object as { status: { conditions: { type: string; reason: string; message: string }[] } }).status.conditions[0]!;

const wrote: string[] = [];
beforeEach(async () => {
  wrote.length = 0;
  rig = await startRig({ audit: ({ user, verb, object }) => wrote.push(`${user} ${verb} ${object}`) });
  const project = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', uid: 'default' }, spec: {} };
  await rig.store.commit({
    preconditions: [],
    ops: [{ type: 'put', key: keys.object('namespaces', undefined, 'default'), value: JSON.stringify(project) }],
  });
  await makeNetworks(rig);
});

afterEach(() => rig.stop());

it('applies many objects as one', async () => {
  await apply('all', [instance('web-0'), offering(1), instance('web-1')]);
  expect(readyOf(await rig.ready('ChangeSet', 'all'))).toMatchObject({ reason: 'Applied' });
  expect(rig.get('Instance', 'web-1')!.spec.restartPolicy).toBe('OnFailure');
  expect(await rig.keys('/changesets/')).toEqual([]);
  expect(wrote).toEqual([
    'changeset:default/all create instances.plumb.dev/default/web-0',
    'changeset:default/all create instanceofferings.plumb.dev/small',
    'changeset:default/all create instances.plumb.dev/default/web-1',
  ]);
});

it('waits for an address that an instance gives up which is being deleted, and a plan says so beforehand', async () => {
  const at = { interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.50'] }] };
  await apply('first', [offering(1), instance('web-0', at)]);
  await rig.ready('ChangeSet', 'first');
  rig.fleet.hung.add('host-1');
  await rig.remove('Instance', 'web-0');
  const planned = preview(rig.context, [instance('web-1', at)]);
  expect(planned[0]?.problem).toMatchObject({ reason: 'HolderLeaving', terminal: false });
  await apply('renamed', [instance('web-1', at)]);
  await rig.until('Instance', 'web-1', (object) => condition(object, 'Ready')?.reason === 'HolderLeaving');
  rig.fleet.hung.clear();
  rig.fleet.disconnect('host-1');
  rig.fleet.connect('host-1');
  await rig.ready('ChangeSet', 'renamed');
});

it('returns every object, and what runs, when one fails', async () => {
  await apply('first', [offering(1), instance('web-0')]);
  await rig.ready('ChangeSet', 'first');
  const before = rig.fleet.keysOn('host-1');
  rig.fleet.fault = (_h, verb, resource) =>
    resource.kind === 'domain' && verb === 'ensure' && resource.spec.name === 'default.web-2'
      ? terminal('BootFailed', 'no firmware')
      : undefined;
  await apply('second', [offering(2), instance('web-1'), instance('web-2')]);
  const failed = readyOf(await rig.stalled('ChangeSet', 'second'));
  expect(failed.reason).toBe('BootFailed');
  expect(wrote.slice(-3)).toEqual([
    'changeset:default/second update instanceofferings.plumb.dev/small',
    'changeset:default/second delete instances.plumb.dev/default/web-1',
    'changeset:default/second delete instances.plumb.dev/default/web-2',
  ]);
  expect(failed.message).toContain('Instance default/web-2');
  expect(rig.get('InstanceOffering', 'small')!.spec).toEqual({ cpus: 1, memoryMiB: 128 });
  expect([rig.get('Instance', 'web-1'), rig.get('Instance', 'web-2')]).toEqual([undefined, undefined]);
  expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ cpus: 1, power: 'Running' });
  expect(rig.fleet.keysOn('host-1')).toEqual(before);
  expect(await rig.keys('/changesets/')).toEqual([]);
});

it('gives running instances more processors when it is over, since they cannot be taken back', async () => {
  await apply('first', [offering(1), instance('web-0')]);
  await rig.ready('ChangeSet', 'first');
  const { uid } = rig.get('Instance', 'web-0')!.metadata;
  const before: string[] = [];
  rig.fleet.fault = (_h, _v, resource) => {
    if (resource.id === uid) before.push(condition(rig.get('ChangeSet', 'second'), 'Ready')?.status ?? 'none');
    return undefined;
  };
  await apply('second', [offering(2), instance('web-1')]);
  await rig.until('Instance', 'web-0', (o) => o?.status?.cpus === 2);
  expect(before).toEqual(['True']);
});

it('goes back after a crash of the control plane in the middle', async () => {
  rig.fleet.fault = (_h, verb, resource) =>
    resource.kind === 'domain' && verb === 'ensure' ? terminal('No', 'no') : undefined;
  rig.fleet.disconnect('host-1');
  await apply('one', [offering(1), instance('web-0')]);
  await rig.until('ChangeSet', 'one', (o) => o?.status?.conditions !== undefined);
  await rig.stop();
  rig = await startRig({ store: rig.store, fleet: rig.fleet });
  rig.fleet.connect('host-1');
  await rig.stalled('ChangeSet', 'one');
  expect(rig.get('Instance', 'web-0')).toBeUndefined();
  expect(rig.get('InstanceOffering', 'small')).toBeUndefined();
});

it('gives up at its deadline, and says what was not ready', async () => {
  await apply('late', [offering(1), instance('web-0', { image: 'missing' })], 1);
  const failed = readyOf(await rig.stalled('ChangeSet', 'late'));
  expect(failed.reason).toBe('DeadlineExceeded');
  expect(failed.message).toContain('there is no Image missing');
  expect(rig.get('Instance', 'web-0')).toBeUndefined();
});

it('names every violation at once and writes nothing', async () => {
  await apply('bad', [offering(0), instance('web-0', { power: 'On', colour: 'red' })]);
  const failed = readyOf(await rig.stalled('ChangeSet', 'bad'));
  expect(failed.reason).toBe('Invalid');
  for (const field of ['spec.objects[0].spec.cpus', 'spec.objects[1].spec.power', 'spec.objects[1].spec.colour'])
    expect(failed.message).toContain(field);
  expect(rig.get('InstanceOffering', 'small')).toBeUndefined();
});

it('leaves what someone else edited meanwhile as theirs', async () => {
  await apply('first', [offering(1)]);
  await rig.ready('ChangeSet', 'first');
  await apply('second', [offering(2), instance('web-0', { image: 'missing' })], 1);
  await rig.until('InstanceOffering', 'small', (o) => o?.spec.cpus === 2);
  await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 3));
  await rig.stalled('ChangeSet', 'second');
  expect(rig.get('InstanceOffering', 'small')!.spec.cpus).toBe(3);
});

it('does not wait for what others have begun to refer to', async () => {
  await apply('one', [offering(1), instance('web-0', { image: 'missing' })], 1);
  await rig.until('InstanceOffering', 'small', (o) => o !== undefined);
  await rig.create('Instance', 'stranger', instance('stranger', { power: 'Running' }).spec);
  await rig.ready('Instance', 'stranger');
  const failed = readyOf(await rig.stalled('ChangeSet', 'one'));
  expect(failed.message).toContain('but for InstanceOffering small: others refer to it');
  expect(rig.get('Instance', 'web-0')).toBeUndefined();
});

it('gives up when it cannot even begin in time', async () => {
  await apply('first', [offering(1), instance('web-0')]);
  await rig.ready('ChangeSet', 'first');
  await rig.remove('InstanceOffering', 'small');
  await apply('second', [offering(2)], 1);
  expect(readyOf(await rig.stalled('ChangeSet', 'second'))).toMatchObject({ reason: 'DeadlineExceeded' });
  expect(rig.get('InstanceOffering', 'small')!.spec.cpus).toBe(1);
});

it('does not make objects in a project that is not there', async () => {
  const web = { ...instance('web-0'), metadata: { name: 'web-0', namespace: 'team' } };
  await apply('one', [offering(1), web], 1);
  expect(readyOf(await rig.stalled('ChangeSet', 'one')).message).toContain('namespace team is not there');
  expect(rig.get('InstanceOffering', 'small')).toBeUndefined();
});
