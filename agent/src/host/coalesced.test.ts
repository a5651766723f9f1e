import { expect, test } from 'vitest';
import { Coalesced } from './coalesced.ts';

test('all who ask while a run is under way share the one after it', async () => {
  const ends: ((value: number) => void)[] = [];
  const coalesced = new Coalesced(() => new Promise<number>((resolve) => ends.push(resolve)));
  const first = coalesced.run();
  await new Promise((resolve) => setImmediate(resolve));
  const others = [coalesced.run(), coalesced.run(), coalesced.run()];
  expect(ends.length).toBe(1);
  ends[0]?.(1);
  expect(await first).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends.length).toBe(2);
  ends[1]?.(2);
  expect(await Promise.all(others)).toEqual([2, 2, 2]);
});

test('a failed run fails for those who shared it, and not for the next', async () => {
  let runs = 0;
  const coalesced = new Coalesced(async () => {
    runs += 1;
    if (runs === 1) throw new Error('no');
    return runs;
  });
  await expect(coalesced.run()).rejects.toThrow('no');
  expect(await coalesced.run()).toBe(2);
});
