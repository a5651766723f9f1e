import { realAmbient } from '@plumb/schemas';
import { expect, it, vi } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { instanceSpec, makeEstate } from '../testing/estate.ts';
import { startRig } from '../testing/rig.ts';

it('walks through the hosts that have an image only when something of it changed there', async () => {
  const clock = new FakeClock();
  const rig = await startRig({ ambient: { ...realAmbient(), clock } });
  try {
    await makeEstate(rig);
    await rig.create('Instance', 'web-0', instanceSpec());
    await clock.advance(5_000);
    await rig.ready('Instance', 'web-0');
    const { uid } = rig.get('Image', 'tiny')!.metadata;
    const asked = vi.spyOn(rig.fleet, 'ownedBy');
    const walks = () => asked.mock.calls.filter(([of]) => of === uid).length;
    await rig.create('Instance', 'web-1', instanceSpec());
    await clock.advance(5_000);
    await rig.ready('Instance', 'web-1');
    expect(walks()).toBe(0);

    // Another file: the former one goes from the host when nothing there is a clone of it any more.
    await rig.edit('Image', 'tiny', (image) => {
      image.spec.sha256 = 'c'.repeat(64);
    });
    await clock.advance(5_000);
    expect(walks()).toBeGreaterThan(0);
    expect(rig.fleet.keysOn('host-1')).toContain(`image/${'a'.repeat(64)}`);
    for (const name of ['web-0', 'web-1']) await rig.remove('Instance', name);
    await clock.advance(5_000);
    expect(rig.fleet.keysOn('host-1')).toContain(`image/${'c'.repeat(64)}`);
    expect(rig.fleet.keysOn('host-1')).not.toContain(`image/${'a'.repeat(64)}`);
  } finally {
    await rig.stop();
  }
});
