import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, testsFor } from './reach.ts';

const root = join(import.meta.dirname, '..', '..');

test('imports are found by their paths, relative and by package', () => {
  const source = `import { a } from './a.ts';
import type { B } from '../b.ts';
import { readFileSync } from 'node:fs';
import { c } from '@plumb/schemas';
export { d } from '@plumb/schemas/limits/server.ts';
const late = await import('./late.ts');`;
  expect(importsOf(root, join(root, 'sim/src/x/y.ts'), source).map((path) => path.slice(root.length + 1))).toEqual([
    'sim/src/x/a.ts',
    'sim/src/b.ts',
    'schemas/src/index.ts',
    'schemas/src/limits/server.ts',
    'sim/src/x/late.ts',
  ]);
});

test('the nearest tests are asked first, each once, and those that never reach the source not at all', () => {
  const graph = new Map([
    ['/plan/a.ts', []],
    ['/plan/b.ts', ['/plan/a.ts']],
    ['/plan/a.test.ts', ['/plan/a.ts']],
    ['/plan/b.test.ts', ['/plan/b.ts']],
    ['/plan/other.test.ts', ['/plan/other.ts']],
    ['/sim/near.test.ts', ['/plan/a.ts']],
    ['/sim/far.test.ts', ['/plan/b.ts']],
    ['/cli/far.test.ts', ['/plan/b.ts']],
  ]);
  expect(testsFor('/plan/a.ts', [['/plan'], ['/sim']], graph)).toEqual([
    ['/plan/a.test.ts', '/sim/near.test.ts'],
    ['/plan/b.test.ts'],
    ['/sim/far.test.ts'],
  ]);
});
