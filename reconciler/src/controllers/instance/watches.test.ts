import { realAmbient } from '@plumb/schemas';
import { expect, it } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { startRig } from '../testing/rig.ts';

it('an instance that no host may carry is looked at again when the network behind its own is declared otherwise', async () => {
  const clock = new FakeClock();
  const rig = await startRig({ ambient: { ...realAmbient(), clock } });
  const selects = async (matchLabels: Record<string, string>) => {
    await rig.edit('L2Network', 'lab', (object) => {
      object.spec.hostSelector = { matchLabels };
    });
    await clock.advance(1_000);
  };
  const reason = () => condition(rig.get('Instance', 'web-0'), 'Ready')?.reason;
  try {
    await makeEstate(rig);
    await clock.advance(5_000);
    await selects({ rack: 'r1' });
    await rig.create('Instance', 'web-0', instanceSpec());
    // Nothing else wakes it any more.
    await clock.advance(120_000);
    expect(reason()).toBe('NoHostFits');
    await selects({});
    expect(reason()).toBe('Running');
  } finally {
    await rig.stop();
  }
});
