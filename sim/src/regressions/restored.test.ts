import { expect, test } from 'vitest';
import { stage, vm, wait } from './stage.ts';

test('a restored store does not use a term again that hosts have obeyed', async () => {
  using on = await stage('term used twice');
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
