/** What is told to be live restarts nobody, whoever dies in the middle; and what cannot be had live waits. */
import { expect, test } from 'vitest';
import { stage, vm, wait } from '../regressions/stage.ts';
import type { Fate, Point } from '../world/fates.ts';

const grow = { do: 'change', kind: 'InstanceOffering', name: 'small', spec: { cpus: 4 } } as const;

const isGrowth = (point: Point) => point.at === 'step' && point.kind === 'domain' && point.flow === 'update forward';

test.each<[Fate, 'before' | 'after']>([
  ['crash control', 'before'],
  ['crash control', 'after'],
  ['crash agent', 'before'],
  ['crash agent', 'after'],
  ['crash both', 'after'],
  ['fail', 'before'],
  ['fail', 'after'],
  ['repeat', 'after'],
])('a guest gets more processors and is not started again: %s %s', async (fate, when) => {
  using on = await stage(`grow ${fate} ${when}`);
  await on.do(vm('vm'), wait(3_000));
  let left = 2;
  on.hurt((point) => (isGrowth(point) && point.at === 'step' && point.when === when && left-- > 0 ? fate : undefined));
  await on.do(grow, wait(10_000));
  expect(left).toBeLessThan(2);
  expect(await on.wrong()).toEqual([]);
  const { host } = on.world.machine('host-1');
  expect(host.resources.get(`domain/${on.uid('vm')}`)).toMatchObject({ spec: { cpus: 4 } });
  expect(host.bootsOf(on.uid('vm'))).toBe(1);
});

test('a guest that cannot get them goes on as it was, and is not started again', async () => {
  using on = await stage('grow in vain');
  await on.do(vm('vm'), wait(3_000));
  on.hurt((point) => (isGrowth(point) && point.at === 'step' && point.when === 'before' ? 'fail terminal' : undefined));
  await on.do(grow, wait(10_000));
  expect(await on.wrong()).toEqual([]);
  const { host } = on.world.machine('host-1');
  expect(host.resources.get(`domain/${on.uid('vm')}`)).toMatchObject({ spec: { cpus: 1 } });
  expect(host.bootsOf(on.uid('vm'))).toBe(1);
});
