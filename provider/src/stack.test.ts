import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stackMistake, stackOf } from './stack.ts';

test('a folder has one stack by whatever road, another folder or workspace has another, and none of them is named', () => {
  const root = mkdtempSync(join(tmpdir(), 'plumb-stack-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ['a', 'b']) mkdirSync(join(root, name));
  symlinkSync(join(root, 'a'), join(root, 'link'));
  const of = (folder: string, workspace = 'default') => stackOf(undefined, join(root, folder), workspace, true);
  expect(of('a')).toEqual({ name: of('a').name, isNamed: false, manager: `terraform:${of('a').name}`, force: true });
  expect(of('link')).toEqual(of('a'));
  expect(new Set([of('a'), of('b'), of('a', 'other')].map(({ manager }) => manager)).size).toBe(3);
  // A folder that is gone is told apart all the same.
  expect(of('gone').name).not.toBe(of('a').name);
});

test('a name is what a person sees among the managers', () => {
  expect(stackOf('shop', '/', 'default', false)).toEqual({
    ...{ name: 'shop', isNamed: true, manager: 'terraform:shop', force: false },
  });
  for (const name of ['a b', '-a', 'a'.repeat(64), 'a/b', 'ä']) expect(stackMistake(name)).toContain('stack must be');
  expect(() => stackOf('a b', '/', 'default', true)).toThrow('stack must be');
});
