import { expect, test } from 'vitest';
import { targets as broken } from './broken-targets.ts';
import { fuzz } from './fuzz.ts';
import { targets } from './targets/index.ts';

const module = (file: string) => new URL(file, import.meta.url).href;

test('random inputs for every reader: nothing but refusals that say why, each in time', {
  timeout: 300_000,
}, async () => {
  const seed = 'of npm test';
  const { findings, tallies } = await fuzz({ module: module('./targets/index.ts'), targets, seed, forMs: 10_000 });
  expect(findings).toEqual([]);
  expect(tallies.map(({ target }) => target)).toEqual(targets.map(({ name }) => name));
});

test('whatever a reader does wrong is found, and how to see it again', { timeout: 300_000 }, async () => {
  const { findings, tallies } = await fuzz({
    module: module('./broken-targets.ts'),
    targets: broken,
    seed: '1',
    forMs: 0,
    atLeast: 60,
    hangsMs: 2_000,
    memoryMiB: 128,
  });
  const said = Map.groupBy(findings, ({ target }) => target);
  const of = (target: string) => said.get(target)?.[0];
  expect([...said.keys()]).toEqual(['throws', 'rejects', 'answers', 'pollutes', 'slow', 'hangs', 'hungry']);
  expect(of('throws')).toMatchObject({ again: expect.stringMatching(/^1\/throws\/\d+$/), input: '5' });
  expect(of('throws')?.what).toMatch(/TypeError: five/);
  expect(of('answers')?.what).toBe('said five');
  expect(of('pollutes')?.what).toMatch(/prototype of all objects: five/);
  expect(of('slow')?.what).toMatch(/took \d+ ms, and 100 are allowed/);
  expect(of('hangs')?.what).toBe('hangs');
  expect(of('hungry')?.what).toMatch(/memory/);
  expect(tallies.find(({ target }) => target === 'fine')!.refused).toBeGreaterThan(0);
  expect(tallies.at(-1)!.target).toBe('last');
});
