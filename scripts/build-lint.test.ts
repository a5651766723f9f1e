import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, matchesGlob, relative } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { lintConfig, lintFile } from './build-lint.ts';
import { exceptions, foldersOf, kindFolders, rules, sharedFolders, units } from './imports.ts';

const ROOT = join(import.meta.dirname, '..');

test('biome.json is what the table of imports says: run node scripts/build-lint.ts', () => {
  const text = readFileSync(lintFile, 'utf8');
  expect(lintConfig(text)).toBe(text);
});

test('every folder of the server has a rule', () => {
  for (const name of [...foldersOf('reconciler/src'), ...foldersOf('reconciler/src/controllers')])
    if (!sharedFolders.includes(name)) expect([...rules.keys()]).toContain(name);
});

/** What the file imports, of what ends like this. */
function importOf(file: string, end: string): string | undefined {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const paths = [...text.matchAll(/ from '([^']+)'/g)].map(([, path]) => path!);
  return paths.find((path) => matchesGlob(path.replace(/^(\.+\/)+/, ''), `**/${end}`));
}

test('the exceptions are needed, and get no more', () => {
  for (const { file, imports } of exceptions) {
    expect(importOf(file, imports), `${file} imports ${imports} no more`).toBeDefined();
  }
  expect(exceptions.length).toBeLessThanOrEqual(2);
});

/** What the linter, with the rules as they are, says of a folder of these files; each has one import. */
async function refusedOf(files: ReadonlyMap<string, string>): Promise<Set<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-imports-'));
  try {
    const config = JSON.parse(readFileSync(lintFile, 'utf8'));
    writeFileSync(join(folder, 'biome.json'), JSON.stringify({ root: true, overrides: config.overrides }));
    for (const [file, specifier] of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `import '${specifier}';\n`);
    }
    const args = ['lint', '--only=style/noRestrictedImports', '--max-diagnostics=none', '--reporter=github'];
    const run = promisify(execFile)(join(ROOT, 'node_modules/.bin/biome'), args, { cwd: folder });
    const { stdout } = (await run.catch((error) => error)) as { stdout: string };
    return new Set(
      [...stdout.matchAll(/noRestrictedImports,file=([^,]+)/g)].map(([, file]) => relative(folder, file!)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const PACKAGES = ['schemas', 'client', 'agent', 'provider', 'cli', 'reconciler', 'sim', 'bench', 'e2e', 'scripts'];

/** The file that is imported, wherever it may be. */
function targetOf(unit: string): string {
  if (unit === 'scripts') return 'scripts/x.ts';
  if (PACKAGES.includes(unit)) return `${unit}/src/x.ts`;
  return kindFolders.includes(unit) ? `reconciler/src/controllers/${unit}/x.ts` : `reconciler/src/${unit}/x.ts`;
}

test('the linter refuses exactly what the table does not allow, in every folder', { timeout: 30_000 }, async () => {
  const files = new Map<string, string>();
  const mayNot = new Set<string>();
  for (const [name, { files: globs, imports }] of rules)
    for (const unit of units.keys()) {
      if (unit === name || (unit === 'reconciler' && globs[0]!.startsWith('reconciler/'))) continue;
      const isPackage = PACKAGES.includes(unit);
      if (PACKAGES.includes(name) && !isPackage && name !== 'reconciler') continue;
      const own = join(globs[0]!.replace('/**', ''), `of-${unit}.ts`);
      files.set(own, relative(dirname(own), targetOf(unit)).replace(/^(?!\.)/, './'));
      const byName = own.replace('.ts', '-by-name.ts');
      if (isPackage && unit !== 'scripts') files.set(byName, `@plumb/${unit}/x.ts`);
      const allowed =
        unit === 'schemas' || imports.includes(unit) || (kindFolders.includes(unit) && name === 'extensions');
      if (allowed) continue;
      mayNot.add(own);
      if (files.has(byName)) mayNot.add(byName);
    }
  const refused = await refusedOf(files);
  expect(mayNot.size).toBeGreaterThan(300);
  expect([...files.keys()].filter((file) => refused.has(file) !== mayNot.has(file))).toEqual([]);
});

test('an exception is one of its file, and of what it names', { timeout: 30_000 }, async () => {
  const files = new Map<string, string>();
  const mayNot = new Set<string>();
  for (const { file, imports } of exceptions) {
    const specifier = importOf(file, imports)!;
    files.set(file, specifier);
    const another = file.replace('.ts', '-another.ts');
    expect(existsSync(join(ROOT, another))).toBe(false);
    mayNot.add(files.set(another, specifier) && another);
  }
  expect(await refusedOf(files)).toEqual(mayNot);
});
