import { expect, test } from 'vitest';
import type { Action } from '../workload/actions.ts';
import { stage, vm, wait } from './stage.ts';

test('a restored store does not use a term again that hosts have obeyed', async () => {
  using on = await stage('term used twice');
  // With a clock that stands behind, terms count on from what the store keeps.
  await on.do({ do: 'jump', who: 'control', ms: -3_600_000 }, { do: 'crash', who: 'control', forMs: 50 }, wait(3_000));
  await on.do(vm('vm'), wait(2_000));
  const batches = on.world.disk.batches.length;
  // A later start of the control plane raises the fence of the same flow, and is forgotten by the restored store.
  await on.do({ do: 'crash', who: 'control', forMs: 50 }, wait(3_000));
  for (const power of ['Stopped', 'Running', 'Stopped'])
    await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec: { power } }, wait(1_000));
  await on.do({ do: 'restore', share: (batches + 0.5) / on.world.disk.batches.length });
  await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec: { offering: 'big' } });
  expect(await on.wrong()).toEqual([]);
});

test('instance of a restored store made on a second host', async () => {
  using on = await stage('made elsewhere', 2);
  const { disk } = on.world;
  const cordon = (name: string, unschedulable: boolean): Action => ({
    ...{ do: 'change', kind: 'Host', name, spec: { unschedulable } },
  });
  await on.do(cordon('host-2', true), { do: 'fate', at: 'step', skip: 4, fate: 'fail terminal' });
  const before = disk.batches.length;
  await on.do(vm('vm'), wait(5_000), cordon('host-1', true), cordon('host-2', false));
  const planned = disk.batches.findIndex(
    ({ ops }, i) => i >= before && ops.some(({ key }) => key.startsWith('/flows/')),
  );
  await on.do({ do: 'retry', kind: 'Instance', name: 'vm', word: 'again' }, wait(5_000));
  expect(
    on.world
      .machine('host-2')
      .resources()
      .has(`domain/${on.uid('vm')}`),
  ).toBe(true);
  // The host on which it runs comes back later than the one that the flow speaks of.
  await on.do({ do: 'restore', share: (planned + 1.5) / disk.batches.length });
  await on.do({ do: 'partition', host: 'host-2', forMs: 10_000 }, wait(20_000));
  expect(await on.wrong()).toEqual([]);
});

test('reported drift of a restored store judged as a fault', async () => {
  using on = await stage('reported after a restore');
  const { disk } = on.world;
  const interfaces = (l3Network: string) => ({ interfaces: [{ name: 'eth0', l3Network }] });
  await on.do(vm('vm', { ...interfaces('plain'), driftPolicy: 'Report' }), wait(2_000));
  const made = disk.batches.length;
  const spec = { ...interfaces('tight'), offering: 'big' };
  await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec }, { do: 'reboot', host: 'host-1' }, wait(10_000));
  await on.do({ do: 'restore', share: (made + 0.5) / disk.batches.length }, wait(10_000));
  const { status } = JSON.parse(disk.entries.get('/objects/instances/default/vm')!.value);
  const drifted = status.conditions.find(({ type }: { type: string }) => type === 'Drifted');
  expect(drifted.message).toMatch(/port differs.*domain differs.*nothing is done/);
  expect(await on.wrong()).toEqual([]);
});
