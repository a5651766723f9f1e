import { expect, test } from 'vitest';
import { stage, vm, wait } from './stage.ts';

test('double start after a false host-down', async () => {
  using on = await stage('double start', 2);
  await on.do(vm('vm'), wait(2_000));
  const { host } = JSON.parse(on.world.disk.entries.get('/objects/instances/default/vm')!.value).status;
  await on.do({ do: 'partition', host, forMs: 200_000 }, wait(120_000));
  // A changed declaration must not make it run elsewhere either: its host is only silent, and its guest runs.
  await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec: { userData: '#cloud-config new' } }, wait(60_000));
  expect(on.world.violations).toEqual([]);
  expect(await on.wrong()).toEqual([]);
});

test('double start after a restored store', async () => {
  for (const seed of ['a', 'b', 'c', 'd']) {
    using on = await stage(`double start ${seed}`, 3);
    const before = on.world.disk.batches.length;
    await on.do(vm('vm'), wait(2_000));
    const created = on.world.disk.batches.findIndex(
      ({ ops }, i) => i >= before && ops.some((op) => op.key === '/objects/instances/default/vm'),
    );
    const { host } = JSON.parse(on.world.disk.entries.get('/objects/instances/default/vm')!.value).status;
    const share = (created + 1.5) / on.world.disk.batches.length;
    // The host on which it runs is the last that comes back.
    await on.do({ do: 'restore', share }, { do: 'partition', host, forMs: 10_000 });
    expect(await on.wrong()).toEqual([]);
  }
});
