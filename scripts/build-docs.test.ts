import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { referenceFolder, referencePages } from './build-docs.ts';

const pages = referencePages();

test.each([...pages.keys()])('docs/reference/%s is what the kinds say: run node scripts/build-docs.ts', (name) => {
  expect(readFileSync(join(referenceFolder, name), 'utf8')).toBe(pages.get(name));
});

test('docs/reference holds no page of a kind that is gone', () => {
  expect(readdirSync(referenceFolder).sort()).toEqual([...pages.keys()].sort());
});
