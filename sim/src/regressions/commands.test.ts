import { expect, test } from 'vitest';
import { gone, stage, vm, wait } from './stage.ts';

test('late command from an old control plane', async () => {
  let late = 0;
  for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
    using on = await stage(`late command ${seed}`);
    on.hurt((point) =>
      point.at === 'frame' && point.to === 'agent' && point.what === 'command' ? 'again late' : undefined,
    );
    await on.do(vm('vm'), wait(400));
    on.hurt(() => undefined);
    const { uid } = { uid: on.uid('vm') };
    await on.do({ do: 'crash', who: 'control', forMs: 20 }, wait(300), gone('vm'), wait(700));
    const removedAt = on.world.loop.now;
    expect([...on.world.machine('host-1').resources().keys()].filter((key) => key.includes(uid))).toEqual([]);
    await on.do(wait(10_000));
    const again = on.world.trace.lines.filter(
      (line) => line.includes('once more') && Number(line.split(' ')[0]) > removedAt,
    );
    late += again.length;
    const made = on.world.trace.lines.filter(
      (line) => line.includes(': ensure ') && line.includes(uid) && Number(line.split(' ')[0]) > removedAt,
    );
    expect(made).toEqual([]);
    expect(await on.wrong()).toEqual([]);
  }
  expect(late).toBeGreaterThan(0);
});

test('half-made disk reused by the next create', async () => {
  let halfMade = 0;
  for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
    using on = await stage(`half made ${seed}`);
    on.world.machine('host-1').slowness = 30;
    await on.do(vm('vm'));
    const disk = `disk/${on.uid('vm')}.root`;
    const resources = on.world.machine('host-1').resources();
    // The agent dies while it makes the disk.
    await on.world.run(5_000, () => on.world.machine('host-1').making === disk);
    await on.do({ do: 'crash', who: 'host-1', forMs: 500 });
    if ((resources.get(disk)?.drift.length ?? 0) > 0) halfMade++;
    expect(await on.wrong()).toEqual([]);
    expect(resources.get(disk)?.drift).toEqual([]);
  }
  expect(halfMade).toBeGreaterThan(0);
});

test('agent restart touching running guests', async () => {
  using on = await stage('agent restart');
  await on.do(vm('vm'), wait(3_000));
  const touched = () => on.world.trace.lines.filter((line) => line.includes('host host-1: ')).length;
  const before = touched();
  for (let i = 0; i < 10; i++)
    await on.do({ do: 'crash', who: i % 3 === 2 ? 'control' : 'host-1', forMs: 300 }, wait(6_000));
  expect(on.world.counts.agentCrashes).toBeGreaterThan(5);
  expect(await on.wrong()).toEqual([]);
  expect(touched()).toBe(before);
});
