import { expect, test } from 'vitest';
import { Player } from '../workload/play.ts';
import { settle } from '../workload/settle.ts';
import { World } from '../world/world.ts';

test('nothing is settled while an agent is on its way: it declares its host when it arrives', async () => {
  const world = new World({ seed: 'late agent', hosts: 2, zone: 'home' });
  try {
    await new Player(world).do({ do: 'create', kind: 'Zone', name: 'home', spec: {} });
    world.network.partition('host-2');
    world.loop.after(25_000, () => world.network.heal('host-2'));
    world.mend = () => {};
    const { wrong, settledAfterMs } = await settle(world);
    expect(wrong).toEqual([]);
    expect(settledAfterMs).toBeGreaterThan(25_000);
    expect(world.disk.entries.has('/objects/hosts//host-2')).toBe(true);
  } finally {
    world.close();
  }
});
