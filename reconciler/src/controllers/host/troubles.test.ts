import { expect, it } from 'vitest';
import { findCondition } from '../../runtime/conditions.ts';
import { hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { startRig } from '../testing/rig.ts';

const away = { reason: 'LibvirtUnavailable', message: 'libvirt closed the connection', blocking: true };
const hidden = { reason: 'DomainsNotSeen', message: 'libvirt does not say what they are', blocking: false };

it('says what its agent finds wrong, places nothing where nothing can be made, and recovers by itself', async () => {
  const rig = await startRig();
  try {
    await makeEstate(rig);
    await rig.ready('Host', 'host-1');
    rig.fleet.report('host-1', hidden);
    const impaired = await rig.until('Host', 'host-1', (host) => findCondition(host!, 'Impaired') !== undefined);
    expect(findCondition(impaired!, 'Impaired')).toMatchObject({ status: 'True', ...{ reason: 'DomainsNotSeen' } });
    expect(findCondition(impaired!, 'Ready')?.status).toBe('True');

    rig.fleet.report('host-1', hidden, away);
    const blocked = await rig.until('Host', 'host-1', (host) => findCondition(host!, 'Ready')?.status === 'False');
    expect(findCondition(blocked!, 'Ready')).toMatchObject({
      reason: 'LibvirtUnavailable',
      message: `${away.message}; ${hidden.message}`,
    });
    await rig.create('Instance', 'web-0', instanceSpec());
    const waiting = await rig.until('Instance', 'web-0', (one) => findCondition(one!, 'Ready') !== undefined);
    expect(findCondition(waiting!, 'Ready')).toMatchObject({
      reason: 'NoHostReady',
      message: expect.stringContaining('1 can make no guests for now'),
    });

    rig.fleet.report('host-1');
    await rig.ready('Instance', 'web-0');
    expect(findCondition(await rig.ready('Host', 'host-1'), 'Impaired')).toBeUndefined();
  } finally {
    await rig.stop();
  }
});

it('a host whose agent cannot tell what lives there says why, before it counts as connected', async () => {
  const rig = await startRig();
  try {
    await makeEstate(rig);
    await rig.create('Host', 'late', hostSpec);
    rig.fleet.connect('late');
    rig.fleet.disconnect('late');
    rig.fleet.report('late', away);
    const host = await rig.until('Host', 'late', (one) => findCondition(one!, 'Ready')?.reason === away.reason);
    expect(findCondition(host!, 'Ready')?.status).toBe('False');
  } finally {
    await rig.stop();
  }
});
