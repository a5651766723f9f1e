import { realAmbient } from '@plumb/schemas';
import { expect, it, vi } from 'vitest';
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

it('has what others share looked at seldom for the sake of a host that comes and goes all the time', async () => {
  const clock = new FakeClock();
  const rig = await startRig({ ambient: { ...realAmbient(), clock } });
  try {
    await makeEstate(rig);
    for (let n = 0; n < 50; n++) {
      await rig.create('L2Network', `net-${n}`, { zone: 'home', type: 'vxlan', vni: 1000 + n });
      const sum = n.toString(16).padStart(64, '0');
      await rig.create('Image', `image-${n}`, { url: 'file:///t', sha256: sum, format: 'qcow2', maxSizeMiB: 100 });
    }
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.create('Instance', 'waits', { ...instanceSpec(), offering: 'none' });
    await clock.advance(20_000);
    await rig.ready('Image', 'image-49');
    await rig.create('Host', 'flaps', hostSpec);
    rig.fleet.connect('flaps', {}, []);
    await clock.advance(10_000);
    const enqueue = vi.spyOn(rig.context, 'enqueue');
    const writes = rig.store.revision();
    for (let n = 0; n < 60; n++) {
      rig.fleet.disconnect('flaps');
      await clock.advance(500);
      rig.fleet.connect('flaps');
      await clock.advance(500);
    }
    const times = (part: string) => enqueue.mock.calls.filter(([key]) => key.includes(part)).length;
    // Without that: 6,120 looks at images, 120 at each instance that waits.
    expect([times('/images/'), times('/l2networks/'), times('/l3networks/')]).toEqual([0, 0, 0]);
    expect(times('/instances/default/waits')).toBeLessThanOrEqual(14);
    expect(times('/instances/default/web-0')).toBe(0);
    // Of its own Host each change is seen; nothing is written of others.
    expect(times('/hosts//flaps')).toBeGreaterThanOrEqual(60);
    expect(rig.store.revision() - writes).toBeLessThanOrEqual(130);
    rig.fleet.disconnect('flaps');
    await rig.create('Image', 'late', { url: 'file:///t', sha256: 'f'.repeat(64), format: 'qcow2', maxSizeMiB: 100 });
    await clock.advance(10_000);
    await rig.ready('Image', 'late');
  } finally {
    await rig.stop();
  }
});
