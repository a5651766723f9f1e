import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys } from '../../store/keys.ts';
import { makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

it('looks at a host that came back in the moment in which an object went that it carries something of', async () => {
  await rig.until('Image', 'tiny', () => rig.fleet.keysOn('host-1').includes(`image/${'a'.repeat(64)}`));
  rig.fleet.disconnect('host-1');
  const { commit } = rig.store;
  rig.store.commit = async (batch, onApplied) => {
    const departs = batch.ops.some(
      ({ type, key }) => type === 'delete' && key === keys.object('images', undefined, 'tiny'),
    );
    if (departs) {
      // The host is looked at while the image is still there.
      rig.fleet.connect('host-1', { cpus: 16 });
      await rig.until('Host', 'host-1', (host) => host?.status?.cpus === 16);
    }
    return commit.call(rig.store, batch, onApplied);
  };
  const removed = new Promise<void>((resolve) => {
    rig.fleet.onChange(() => rig.fleet.keysOn('host-1').length === 0 && resolve());
  });
  await rig.remove('Image', 'tiny');
  await rig.gone('Image', 'tiny');
  await removed;
  expect(rig.fleet.sent.at(-1)?.command.steps.map(({ verb, resource }) => `${verb} ${resource.kind}`)).toEqual([
    'remove image',
  ]);
});
