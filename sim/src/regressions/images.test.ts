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
  expect(on.world.machine('host-1').resources().has(`image/${image.spec.sha256}`)).toBe(true);
  expect(await on.wrong()).toEqual([]);
  await on.do(gone('vm'), wait(5_000));
  expect(on.world.machine('host-1').resources().has(`image/${image.spec.sha256}`)).toBe(false);
  expect(await on.wrong()).toEqual([]);
});

test('fetch that nobody waits for any more blocks a delete', async () => {
  using on = await stage('a server of images that says nothing');
  const { host } = on.world.machine('host-1');
  const url = 'https://images.test/stalled';
  host.stallFetch(url);
  const spec = { url, sha256: 'd'.repeat(64), format: 'raw' };
  await on.do({ do: 'create', kind: 'Image', name: 'stalled', spec }, wait(20_000));
  expect(on.world.disk.entries.get('/objects/images//stalled')?.value).toContain('"reason":"Fetching"');
  // In vain, but that it is heard: the agent is asked once more by another control plane, and joins the fetch.
  await on.do({ do: 'crash', who: 'control', forMs: 100 }, wait(20_000));
  await on.do({ do: 'delete', kind: 'Image', name: 'stalled' }, wait(5_000));
  expect(on.world.disk.entries.has('/objects/images//stalled')).toBe(false);
  expect([...host.resources.keys()].filter((key) => key.includes('ddd'))).toEqual([]);
  expect(await on.wrong()).toEqual([]);
});
