import { AllocationIndex } from '@plumb/reconciler/allocation/allocation-index.ts';
import { AllocationLane } from '@plumb/reconciler/allocation/lane.ts';
import { ADDRESS } from '@plumb/reconciler/plan/allocation.ts';
import { ConflictError } from '@plumb/reconciler/store/errors.ts';
import { MemoryStore } from '@plumb/reconciler/store/memory.ts';
import { expect, test } from 'vitest';
import { addressed, gone, stage, wait } from './stage.ts';

test('address freed while still in use', async () => {
  using on = await stage('address in use');
  await on.do(addressed('old', '10.20.0.7'), wait(2_000));
  on.hurt((point) => (point.at === 'step' && point.verb === 'remove' && point.when === 'before' ? 'fail' : undefined));
  await on.do(gone('old'), wait(1_000), addressed('new', '10.20.0.7'), wait(20_000));
  expect(on.world.violations).toEqual([]);
  expect(await on.wrong()).toEqual([]);
});

test('address never freed after failed create', async () => {
  using on = await stage('address never freed');
  on.hurt((point) =>
    point.at === 'step' && point.verb === 'ensure' && point.kind === 'domain' && point.when === 'before'
      ? 'fail terminal'
      : undefined,
  );
  await on.do(addressed('fails', '10.20.0.7'), wait(3_000));
  on.hurt(() => undefined);
  await on.do(addressed('other', '10.20.0.7'), wait(3_000));
  expect(on.world.disk.entries.get('/objects/instances/default/other')!.value).toContain('"reason":"Running"');
  expect(await on.wrong()).toEqual([]);
});

test('reservation leaked on failed placement', async () => {
  const store = new MemoryStore();
  const index = await AllocationIndex.load(store);
  const lane = new AllocationLane(store, index);
  const failing = lane.submit((taken) => {
    taken.claim(ADDRESS, 'net/10.20.0.7', 'a');
    throw new Error('there is no room after all');
  });
  const good = lane.submit((taken) => {
    taken.claim(ADDRESS, 'net/10.20.0.8', 'b');
    return { preconditions: [], ops: [], result: undefined };
  });
  await expect(failing).rejects.toThrow('no room');
  await good;
  expect((await store.list('/alloc/')).entries.map((e) => e.key)).toEqual(['/alloc/address/net/10.20.0.8']);
});

test('stale cache allocating one address twice', async () => {
  const store = new MemoryStore();
  const stale = await AllocationIndex.load(store);
  const take = (index: AllocationIndex, uid: string) =>
    new AllocationLane(store, index).submit((taken) => {
      taken.claim(ADDRESS, 'net/10.20.0.7', uid);
      return { preconditions: [], ops: [], result: uid };
    });
  await take(await AllocationIndex.load(store), 'first');
  await expect(take(stale, 'second')).rejects.toBeInstanceOf(ConflictError);
  expect((await store.get('/alloc/address/net/10.20.0.7'))?.value).toBe('first');
});
