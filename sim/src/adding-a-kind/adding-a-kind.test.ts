/** A kind with a host resource is added as docs/adding-a-kind.md says: one line in each of schemas, server and agent. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { run } from '../../../scripts/run.ts';
import { NODE, ROOT } from '../../../scripts/setup.ts';
import { lines } from './lines.ts';
import { ownFiles, treeWithKind } from './tree.ts';

test('outside of its own files it needs at most one line in each of schemas, reconciler and agent', () => {
  const packages = Object.keys(lines).map((file) => file.split('/')[0]);
  expect(packages.sort()).toEqual(['agent', 'reconciler', 'schemas']);
  for (const line of Object.values(lines)) expect(line).not.toContain('\n');
  for (const file of ownFiles()) expect(file).toMatch(/\/banner(\.ts|\/)/);
});

test('the page names every list that gets a line', () => {
  const page = readFileSync(join(ROOT, 'docs/adding-a-kind.md'), 'utf8');
  for (const file of Object.keys(lines)) expect(page).toContain(file);
});

test('added so, it compiles, and is declared, changed, repaired and deleted through API, controller, agent and hosts', async () => {
  const tree = treeWithKind();
  onTestFinished(() => tree[Symbol.dispose]());
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const [, driven] = await Promise.all([
    run(NODE, [compiler, '--noEmit', '-p', 'tsconfig.kind.json'], { cwd: tree.root }),
    run(NODE, ['drive.ts'], { cwd: tree.root }),
  ]);
  const said = driven.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const on = (a: string[], b: string[], c: string[]) => ({ a, b, c });
  expect(said).toEqual([
    { step: 'refused', is: 422 },
    { step: 'everywhere', has: on(['Hello'], ['Hello'], ['Hello']), is: true },
    { step: 'chosen', has: on([], [], ['Good day']), is: true },
    { step: 'labelled', has: on(['Good day'], [], ['Good day']), is: true },
    { step: 'repaired', has: on(['Good day'], [], ['Good day']), is: true },
    { step: 'gone', has: on([], [], []), is: true },
    { step: 'zone', is: 200 },
    { step: 'libvirt', is: [[], [{ text: 'Hello' }], []] },
  ]);
});
