import { expect, test } from 'vitest';
import { gone, stage, vm, wait } from './stage.ts';

test('stuck deleting', async () => {
  using on = await stage('stuck deleting');
  await on.do(vm('vm'), wait(2_000), gone('vm'), wait(2_000));
  let failures = 0;
  on.hurt((point) => {
    const hit = point.at === 'step' && point.verb === 'remove' && point.when === 'before' && failures++ < 3;
    return hit ? 'fail terminal' : undefined;
  });
  await on.do({ do: 'delete', kind: 'Image', name: 'tiny' }, wait(1_000));
  expect(failures).toBeGreaterThan(0);
  on.hurt(() => undefined);
  expect(await on.wrong()).toEqual([]);
  expect(on.world.disk.entries.has('/objects/images//tiny')).toBe(false);
});
