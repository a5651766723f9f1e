import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys } from '../store/keys.ts';
import { cascadeFrom, deleteCascade, expectUnprotected } from './cascade.ts';
import { previewAll } from './preview.ts';
import { instanceSpec, makeEstate } from './testing/estate.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
  await rig.create('Instance', 'free', instanceSpec());
  await rig.create('Instance', 'kept', instanceSpec({ deletionProtection: true }));
  await rig.ready('Instance', 'kept');
  await rig.ready('Instance', 'free');
});
afterEach(() => rig.stop());

const image = keys.object('images', undefined, 'tiny');
const marked = (name: string) => rig.get('Instance', name)?.metadata.deletionTimestamp;

it('a cascade that reaches a protected object marks none, and names it, also beforehand', async () => {
  const sentence = /^Instance default\/kept is not deleted: spec\.deletionProtection is true/;
  await expect(deleteCascade(rig.context, [image], undefined, () => {})).rejects.toThrow(sentence);
  expect(() => expectUnprotected(cascadeFrom(rig.context, [image]))).toThrow(sentence);
  expect([marked('free'), marked('kept')]).toEqual([undefined, undefined]);
});

it('a plan that deletes it says that this cannot be', () => {
  const deletions = [{ kind: 'Instance', key: keys.object('instances', 'default', 'kept') }];
  const [planned] = previewAll(rig.context, [], { deletions }).own;
  expect(planned!.problem).toMatchObject({ reason: 'DeletionProtected', terminal: true });
});

it('protecting an instance costs its guest nothing', () => {
  const spec = instanceSpec({ deletionProtection: true });
  const [planned] = previewAll(rig.context, [{ kind: 'Instance', metadata: { name: 'free' }, spec }]).own;
  expect(planned).toMatchObject({ action: 'update', steps: [] });
});
