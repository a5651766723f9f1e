import { expect, test } from 'vitest';
import { gone, stage, vm, wait } from './stage.ts';

test('file of a deleted image removed under its clones', async () => {
  using on = await stage('file of an image that is gone');
  const image = JSON.parse(on.world.disk.entries.get('/objects/images//tiny')!.value);
  await on.do(vm('vm'), wait(2_000), { do: 'change', kind: 'Instance', name: 'vm', spec: { image: 'missing' } });
  // Nobody refers to it any more; that a disk is made of it, a host could tell that is not there.
  await on.do(
    { do: 'partition', host: 'host-1', forMs: 60_000 },
    { do: 'crash', who: 'control', forMs: 100 },
    wait(1_000),
  );
  await on.do({ do: 'delete', kind: 'Image', name: 'tiny' }, wait(90_000));
  expect(on.world.disk.entries.has('/objects/images//tiny')).toBe(false);
  expect(on.world.machine('host-1').things().has(`image/${image.spec.sha256}`)).toBe(true);
  expect(await on.wrong()).toEqual([]);
  await on.do(gone('vm'), wait(5_000));
  expect(on.world.machine('host-1').things().has(`image/${image.spec.sha256}`)).toBe(false);
  expect(await on.wrong()).toEqual([]);
});
