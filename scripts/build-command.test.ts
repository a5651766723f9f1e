/** The launcher takes the bundle only as long as no source has changed. Of a copy: another process may build here. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './build-inputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'plumb-launcher-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a bundle is used while its sources are as they were, and no longer', () => {
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'dist', 'command'), { recursive: true });
  cpSync(join(root, 'bin', 'plumb.mjs'), join(folder, 'bin', 'plumb.mjs'));
  symlinkSync('plumb.mjs', join(folder, 'bin', 'plumb.ts'));
  const source = join(folder, 'bin', 'command.ts');
  writeFileSync(source, 'console.log("source" as string);\n');
  writeFileSync(join(folder, 'dist', 'command', 'command.js'), 'console.log("bundle");\n');
  const inputs = join(folder, 'dist', 'command', 'inputs.json');
  const says = (file = 'plumb.mjs') => {
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin', file), 'get'], { encoding: 'utf8' });
    return stdout.trim() || stderr;
  };
  expect(says()).toBe('source');
  const { size, mtimeMs } = statSync(source);
  writeFileSync(inputs, JSON.stringify([['bin/command.ts', size, mtimeMs]]));
  expect(says()).toBe('bundle');
  expect(says('plumb.ts')).toBe('bundle');
  utimesSync(source, new Date(), new Date(mtimeMs + 5_000));
  expect(says()).toBe('source');
  writeFileSync(inputs, JSON.stringify([['bin/gone.ts', size, mtimeMs]]));
  expect(says()).toBe('source');
  writeFileSync(inputs, 'half a li');
  expect(says()).toBe('source');
});

test('no package is imported by itself when it is needed: of one in CommonJS the bundle would give the default alone', () => {
  const sources = ['bin', 'cli/src', 'client/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(root, folder, file)),
  );
  const found = sources
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('.test.'))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/import\('(?!\.|@plumb\/|node:)[^']*'\)/g)].map(
        ([what]) => `${file}: ${what}`,
      ),
    );
  expect(found).toEqual([]);
});
