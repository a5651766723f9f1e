import type { Host, LiveResource } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { removeOrphan } from './orphan-removal.ts';

const GONE = '01a22d64-8ce8-7c2f-9074-ac788657378a';
const seed: LiveResource = {
  ...{ kind: 'seed', id: `${GONE}.seed`, owner: GONE, drift: [] },
  spec: { instanceId: 'i', hostname: 'gone', sshKeys: [] },
};
const disk: LiveResource = {
  ...{ kind: 'disk', id: `${GONE}.root`, owner: GONE, drift: [] },
  spec: { image: 'a'.repeat(64), imageFormat: 'qcow2' },
};
const volume = { kind: 'volume', id: `${GONE}.data`, owner: GONE };

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});
afterEach(() => rig.stop());

const orphans = () => (rig.get('Host', 'host-1') as Host).status?.orphans;
const listed = (count: number) =>
  rig.until('Host', 'host-1', (o) => ((o as Host).status?.orphans ?? []).length === count);
const remove = (kind: string, id: string, allowDataLoss = false) =>
  removeOrphan(rig.context, { host: 'host-1', kind, id, allowDataLoss }, 'ada');

test('what belongs to no object is listed, and goes when a person says so; data only with a word of its own', async () => {
  const record = vi.spyOn(rig.context.events, 'record');
  rig.fleet.put('host-1', seed);
  rig.fleet.put('host-1', disk);
  await listed(2);
  await expect(remove('disk', disk.id)).rejects.toMatchObject({ reason: 'DataLoss', retry: 'terminal' });
  expect(rig.fleet.keysOn('host-1')).toContain(`disk/${disk.id}`);
  await remove('seed', seed.id);
  await remove('disk', disk.id, true);
  expect(rig.fleet.keysOn('host-1')).toEqual([]);
  await listed(0);
  expect(condition(rig.get('Host', 'host-1'), 'Orphans')).toBeUndefined();
  expect(record.mock.calls.map(([{ message }]) => message)).toContainEqual(expect.stringContaining('ada had disk/'));
});

test('what is of an unknown type is kept, listed, never touched by itself, and can be removed', async () => {
  await rig.create('Instance', 'web-0', instanceSpec());
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  // Of an object that is there, and of one that is not.
  rig.fleet.findOpaque('host-1', volume, { ...volume, id: `${uid}.data`, owner: uid });
  await listed(2);
  expect(orphans()).toContainEqual(volume);
  expect(condition(rig.get('Host', 'host-1'), 'Orphans')?.message).toContain(
    '2 are of types that this server does not know (volume)',
  );
  await rig.remove('Instance', 'web-0');
  await rig.gone('Instance', 'web-0');
  expect(rig.fleet.host('host-1')!.opaque.size).toBe(2);
  await expect(remove('volume', volume.id)).rejects.toMatchObject({ reason: 'DataLoss' });
  await remove('volume', volume.id, true);
  await listed(1);
  // What the instance shared may be removed at any time.
  const removed = rig.fleet.sent.flatMap(({ command }) => command.steps).filter(({ verb }) => verb === 'remove');
  expect(removed.map(({ resource }) => resource)).toContainEqual(expect.objectContaining(volume));
});

test('what an object has is no orphan, and what is not there cannot be removed', async () => {
  await rig.create('Instance', 'web-0', instanceSpec());
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  await expect(remove('domain', uid, true)).rejects.toMatchObject({
    reason: 'InUse',
    message: expect.stringContaining('Instance default/web-0'),
  });
  await expect(remove('domain', GONE, true)).rejects.toMatchObject({ reason: 'NotFound' });
  await expect(remove('toString', GONE, true)).rejects.toMatchObject({ reason: 'NotFound' });
  const elsewhere = removeOrphan(rig.context, { host: 'nobody', kind: 'disk', id: 'x', allowDataLoss: true }, 'ada');
  await expect(elsewhere).rejects.toMatchObject({ reason: 'NotFound' });
  expect(rig.fleet.keysOn('host-1')).toContain(`domain/${uid}`);
});

test('what the host answers is told', async () => {
  rig.fleet.put('host-1', seed);
  await listed(1);
  rig.fleet.fault = (_host, verb) => (verb === 'remove' ? retryable('InUse', 'it is used by domain/x') : undefined);
  await expect(remove('seed', seed.id)).rejects.toMatchObject({ reason: 'InUse', message: 'it is used by domain/x' });
  await listed(1);
});
