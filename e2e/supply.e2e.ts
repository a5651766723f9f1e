/** The bill of materials of a real build, against what is really in dist/. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { build } from '../scripts/build.ts';
import type { Bill } from '../scripts/supply/bom.ts';
import { billFile, billProblems } from '../scripts/supply/check-bom.ts';

beforeAll(async () => {
  await build();
});

test('says what is in dist, no more and no less', async () => {
  expect(await billProblems()).toEqual([]);
});

test('is found out when it is not true', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-bill-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'bom.cdx.json');
  const bill = JSON.parse(readFileSync(billFile, 'utf8')) as Bill;
  const problemsWith = (components: Bill['components']) => {
    const [first] = bill.dependencies;
    writeFileSync(file, JSON.stringify({ ...bill, components, dependencies: [{ ref: first!.ref, dependsOn: [] }] }));
    return billProblems(file);
  };
  const [gone] = bill.components.filter(({ name }) => name === 'protobufjs');
  const others = bill.components.filter((one) => one !== gone);
  expect(await problemsWith(others)).toEqual([`${gone!['bom-ref']} is in dist and not in the bill as it is`]);
  const stray = { type: 'library', name: 'x', 'bom-ref': 'x', purl: 'pkg:npm/x@1.0.0' } as const;
  expect(await problemsWith([...bill.components, stray])).toEqual(['x is in the bill and not in dist']);
  expect(await problemsWith([...others, { ...gone!, version: '0.0.1' }])).toHaveLength(2);
});
