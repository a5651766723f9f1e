import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const top = join(import.meta.dirname, '..');
const text = (path: string) => readFileSync(join(top, path), 'utf8');
const { version, workspaces } = JSON.parse(text('package.json')) as { version: string; workspaces: string[] };

test('the version is one number: in every package, the lock file and the documents', () => {
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const folders = workspaces.flatMap((pattern) =>
    pattern.endsWith('/*')
      ? readdirSync(join(top, pattern.slice(0, -2))).map((name) => join(pattern.slice(0, -2), name))
      : [pattern],
  );
  const lock = JSON.parse(text('package-lock.json'));
  expect(lock.version).toBe(version);
  for (const folder of folders) {
    const manifest = JSON.parse(text(join(folder, 'package.json')));
    expect(manifest.version, folder).toBe(version);
    expect(lock.packages[folder].version, folder).toBe(version);
    for (const [name, wanted] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
      if (name.startsWith('@plumb/')) expect(wanted, `${folder} → ${name}`).toBe(version);
  }
  const [, documented] = /^## To (\S+)$/m.exec(text('docs/upgrading.md')) ?? [];
  expect(version.startsWith(`${documented}.`), `docs/upgrading.md begins with ${documented}`).toBe(true);
  expect(text('README.md')).toContain(`plumb/plumb ${version} in dist/mirror`);
  expect(text('docs/how-to/hosts.md')).toContain(`--branch v${version} `);
});
