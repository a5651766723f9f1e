import { realAmbient } from '@plumb/schemas';
import { expect, it } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { startRig } from '../testing/rig.ts';

it.each([3, 150])('removes what a network left on one of %i hosts that come at once', async (count) => {
  const clock = new FakeClock();
  const rig = await startRig({ ambient: { ...realAmbient(), clock } });
  try {
    await makeEstate(rig);
    await rig.create('Instance', 'web-0', instanceSpec());
    await clock.advance(5_000);
    await rig.ready('Instance', 'web-0');
    const l2 = rig.get('L2Network', 'lab')!.metadata.uid;
    const bridge = rig.fleet.host('host-1')!.resources.get(`bridge/${l2}`)!;
    const hosts = Array.from({ length: count }, (_, n) => `late-${n}`);
    for (const host of hosts) await rig.create('Host', host, hostSpec);
    await clock.advance(5_000);
    for (const host of hosts) rig.fleet.connect(host, {}, host === 'late-2' ? [bridge] : []);
    expect(rig.fleet.keysOn('late-2')).toEqual([`bridge/${l2}`]);
    await clock.advance(20_000);
    expect(rig.fleet.keysOn('late-2')).toEqual([]);
    expect(rig.fleet.keysOn('host-1')).toContain(`bridge/${l2}`);
  } finally {
    await rig.stop();
  }
});
