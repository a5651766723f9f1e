import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..');

/** What is made when Plumb is set up, built or run: in no checkout, so no page may rely on it. */
const made = new Set(['node_modules', 'dist', '.git', '.cache', '.plumb']);
const entries = globSync('**', { cwd: root, exclude: (name) => made.has(name.split('/').at(-1) ?? '') });
const known = new Set(entries);
const topFolders = new Set(entries.filter((entry) => entry.includes('/')).map((entry) => entry.split('/')[0]));
const pages = entries.filter((entry) => entry.endsWith('.md'));

/** Text of a page without its fenced blocks, which show files that the reader makes. */
function prose(page: string): string {
  return readFileSync(join(root, page), 'utf8').replace(/^ *```.*?^ *```/gms, '');
}

/** Anchors as GitHub makes them of headings, and those that a page gives itself. */
function anchors(page: string): string[] {
  const own = [...prose(page).matchAll(/^<a id="([^"]+)"><\/a>$/gm)].map(([, id = '']) => id);
  const headings = [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return [...own, ...headings];
}

function brokenLinks(page: string, text: string): string[] {
  return [...text.replace(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, '');
      return !known.has(file) || (anchor !== undefined && file.endsWith('.md') && !anchors(file).includes(anchor));
    });
}

/** Whether a word in backticks names a file or folder of the project: `sim/`, `watch/rules.ts`, not `dist/` or `db-0.yaml`. */
function isPath(word: string): boolean {
  if (!/^[\w.@{},*<>/-]+$/.test(word) || word.startsWith('.') || word.startsWith('*.')) return false;
  return word.endsWith('.ts') || (word.includes('/') && topFolders.has(word.split('/')[0] ?? ''));
}

/** Paths may leave out their beginning, and may hold `*`, `<kind>` and `{a,b}`. */
function pathPattern(word: string): RegExp {
  const pattern = word
    .replace(/\/$/, '')
    .replaceAll('.', '\\.')
    .replace(/\*\*\/|\*|<\w+>|[{},]/g, (part) => {
      if (part === '**/') return '(?:.*/)?';
      return { '{': '(?:', '}': ')', ',': '|' }[part] ?? '[^/]*';
    });
  return new RegExp(`(?:^|/)${pattern}$`);
}

function missingPaths(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, word = '']) => word)
    .filter((word) => isPath(word) && !entries.some((entry) => pathPattern(word).test(entry)));
}

function missingScripts(page: string, text: string): string[] {
  if (page.startsWith('examples/')) return [];
  return [...text.matchAll(/npm run ([a-z][\w:-]*)/g)]
    .map(([, name = '']) => name)
    .filter((name) => !(name in packageJson.scripts));
}

test.each(pages)('what %s links to and names is there', (page) => {
  const text = prose(page);
  expect({ links: brokenLinks(page, text), paths: missingPaths(text), scripts: missingScripts(page, text) }).toEqual({
    links: [],
    paths: [],
    scripts: [],
  });
});

test('what is not there is found', () => {
  expect(
    brokenLinks('docs/x.md', '[a](no.md) [b](../README.md#nowhere) [c](../README.md#tests) [d](https://e.example/)'),
  ).toEqual(['no.md', '../README.md#nowhere']);
  const text =
    '`scripts/no.ts` `nowhere/index.ts` `schemas/no/` `scripts/` `*.test.ts` `kinds/{zone,host}.ts` `kinds/<kind>.ts` `dist/x`';
  expect(missingPaths(text)).toEqual(['scripts/no.ts', 'nowhere/index.ts', 'schemas/no/']);
  expect(missingScripts('README.md', 'npm run soak, npm run no-such')).toEqual(['no-such']);
});
