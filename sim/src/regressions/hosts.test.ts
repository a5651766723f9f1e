import { expect, test } from 'vitest';
import { type Stage, stage, vm, wait } from './stage.ts';

const PATH = 'hosts/host-2.json';

function conditions(on: Stage, key: string): { type: string; status: string; reason: string }[] {
  return JSON.parse(on.world.disk.entries.get(key)!.value).status.conditions;
}

test('no host pushes the term further than the clock', async () => {
  using on = await stage('a term of the future', 2);
  const { world } = on;
  await on.do(vm('vm'), wait(2_000));
  const { term } = world.control!.control!.fleet;
  const liar = world.machine('host-2');
  liar.kill();
  const kept = liar.files.get(PATH)!;
  liar.files.set(PATH, JSON.stringify({ ...JSON.parse(kept), highestTerm: 2 ** 52 }));
  liar.start();
  await on.do(wait(60_000));
  // It alone is refused, and its Host says why.
  expect(world.control!.control!.fleet.term).toBe(term);
  expect(conditions(on, '/objects/hosts//host-2')[0]).toMatchObject({ status: 'False', reason: 'TermOutOfRange' });
  expect(conditions(on, '/objects/hosts//host-1')[0]).toMatchObject({ status: 'True', reason: 'Connected' });
  liar.kill();
  liar.files.set(PATH, kept);
  expect(await on.wrong()).toEqual([]);
});
