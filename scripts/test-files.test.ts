import { expect, test } from 'vitest';
import { ROOT } from './setup.ts';
import { inParallel, testFiles } from './test-files.ts';

const all = new Set(['conformance', 'e2e']);

test('every file is run once; the longest begin first, and what measures time runs alone', () => {
  const { together, alone } = testFiles(ROOT, all);
  const paths = [...together, ...alone].map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  expect(together[0]?.path).toBe('agent/src/drivers/libvirt/guest.conformance.ts');
  expect(alone.map(({ path }) => path)).toEqual(['bench/src/short.e2e.ts']);
  expect(paths).toContain('reconciler/src/store/memory.conformance.ts');
});

test('a chosen suite is that suite alone', () => {
  const { together } = testFiles(ROOT, new Set(['e2e']));
  expect(together.length).toBeGreaterThan(5);
  expect(together.every(({ path }) => path.endsWith('.e2e.ts'))).toBe(true);
});

test('no more than so many run at once, and an error waits for the others', async () => {
  let running = 0;
  let most = 0;
  const ended: number[] = [];
  const work = async (n: number) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    if (n === 1) throw new Error('one');
    ended.push(n);
  };
  await expect(inParallel([0, 1, 2, 3, 4, 5], 2, work)).rejects.toThrow('one');
  expect(most).toBe(2);
  expect(ended).toEqual([0, 2, 3, 4, 5]);
});
