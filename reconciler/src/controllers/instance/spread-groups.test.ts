import type { Instance } from '@plumb/schemas';
import { afterEach, expect, test } from 'vitest';
import { hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());

const spread = { spread: { group: 'web' } };

async function hostOf(name: string): Promise<string> {
  return ((await rig.ready('Instance', name)) as Instance).status!.host!;
}

test('instances of a group are kept apart, also by a server that was started again', async () => {
  rig = await startRig();
  await makeEstate(rig);
  for (const host of ['host-2', 'host-3']) {
    await rig.create('Host', host, hostSpec);
    rig.fleet.connect(host);
    await rig.ready('Host', host);
  }
  // Alone it would be where there is most room, which is where the others are not.
  await rig.create('Instance', 'large', instanceSpec());
  await hostOf('large');
  await rig.create('Instance', 'web-0', instanceSpec(spread));
  await rig.create('Instance', 'web-1', instanceSpec(spread));
  const first = new Set([await hostOf('web-0'), await hostOf('web-1')]);
  expect(first.size).toBe(2);
  const { store, fleet } = rig;
  await rig.stop();

  rig = await startRig({ store, fleet });
  await rig.create('Instance', 'web-2', instanceSpec(spread));
  expect(new Set([...first, await hostOf('web-2')]).size).toBe(3);
  // Who left the group counts no more, and who came to it does.
  await rig.edit('Instance', 'web-0', (object) => {
    object.spec.spread = { group: 'other' };
  });
  await rig.ready('Instance', 'web-0');
  await rig.create('Instance', 'web-3', instanceSpec(spread));
  expect(await hostOf('web-3')).toBe(await hostOf('web-0'));
});
