import { realAmbient } from '@plumb/schemas';
import { expect, it } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { hostSpec } from '../testing/estate.ts';
import { startRig } from '../testing/rig.ts';
import { candidates } from './candidates.ts';

it('knows the hosts that came before anything is placed, however many, and a few in each turn', async () => {
  const clock = new FakeClock();
  const rig = await startRig({ ambient: { ...realAmbient(), clock } });
  try {
    await rig.create('Zone', 'home', {});
    for (let n = 0; n < 1200; n++) {
      await rig.create('Host', `host-${n}`, hostSpec);
      rig.fleet.connect(`host-${n}`);
    }
    const placement = rig.context.own(candidates);
    await clock.advance(1_000);
    expect(placement.prepare(0)).toBe(false);
    const request = { zone: 'home', amounts: [1, 128, 1], selectors: [] };
    expect(placement.place(request, undefined)).toBe('host-0');
    rig.fleet.disconnect('host-0');
    expect(placement.prepare(0)).toBe(true);
    expect(placement.place(request, undefined)).toBe('host-1');
  } finally {
    await rig.stop();
  }
});
