import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys } from '../store/keys.ts';
import { cascadeFrom, deleteCascade } from './cascade.ts';
import { instanceSpec, makeEstate } from './testing/estate.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
const zone = keys.object('zones', undefined, 'home');

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
  await rig.create('Instance', 'web-0', instanceSpec());
  await rig.ready('Instance', 'web-0');
});

afterEach(() => rig.stop());

it('shows the whole blast radius and why each goes', () => {
  const reached = cascadeFrom(rig.context, [zone]);
  expect(reached.map((r) => `${r.cached.object.kind} ${r.because}`).sort()).toEqual([
    'Host depends on Zone home',
    'Instance depends on Zone home',
    'L2Network depends on Zone home',
    'L3Network depends on L2Network lab',
    'Zone ',
  ]);
  const host = cascadeFrom(rig.context, [keys.object('hosts', undefined, 'host-1')]);
  expect(host.map((r) => r.cached.object.kind)).toEqual(['Instance', 'Host']);
});

it('says what is not there as people call it', () => {
  const gone = [keys.object('zones', undefined, 'away'), keys.object('instances', 'default', 'vm')];
  for (const [i, words] of ['there is no Zone away', 'there is no Instance default/vm'].entries())
    expect(() => cascadeFrom(rig.context, [gone[i]!])).toThrow(words);
});

it('deletes all of it, in any order, and nothing else', async () => {
  await expect(deleteCascade(rig.context, [zone], 4, () => {})).rejects.toMatchObject({ reason: 'CascadeChanged' });
  expect(rig.get('Zone', 'home')!.metadata.deletionTimestamp).toBeUndefined();
  await deleteCascade(rig.context, [zone], 5, () => {});
  await rig.gone('Zone', 'home');
  expect(await rig.keys('/objects/')).toEqual([
    keys.object('images', undefined, 'tiny'),
    keys.object('instanceofferings', undefined, 'small'),
  ]);
});

it('refuses what has more bytes than one commit, and deletes none of it', async () => {
  const notes = { notes: 'x'.repeat(200_000) };
  for (let n = 0; n < 6; n++) await rig.create('Zone', `z-${n}`, {}, { annotations: notes });
  const roots = Array.from({ length: 6 }, (_, n) => keys.object('zones', undefined, `z-${n}`));
  await expect(deleteCascade(rig.context, roots, 6, () => {})).rejects.toMatchObject({
    reason: 'TooMany',
    message: expect.stringContaining('6 objects have more than the 1048576 bytes of one commit'),
  });
  expect(rig.get('Zone', 'z-0')!.metadata.deletionTimestamp).toBeUndefined();
  await deleteCascade(rig.context, roots.slice(1), 5, () => {});
});
