/** Writes the linter's rules on imports into `biome.json`, from the table in `imports.ts`: `node scripts/build-lint.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Exception, exceptions, type FolderRule, forbidden, rules, units } from './imports.ts';

export const lintFile = join(import.meta.dirname, '..', 'biome.json');

/** The text of `biome.json` with the rules on imports of now. */
export function lintConfig(current: string): string {
  const { overrides: _, ...kept } = JSON.parse(current) as Record<string, unknown>;
  return `${print({ ...kept, overrides: importRules() }, '', 0)}\n`;
}

/** One for each folder, and after them one for each file with exceptions: the last that fits a file counts. */
function importRules(): object[] {
  const folders = [...rules].map(([name, rule]) => restriction(filesOf(rule), patterns(name, rule), rule.says));
  const byFile = Map.groupBy(exceptions, ({ file }) => file);
  const files = [...byFile].map(([file, allowed]) => {
    const [name, rule] = [...rules].findLast(([, { files }]) => file.startsWith(files[0]!.replace('**', '')))!;
    return restriction([file], [...patterns(name, rule), ...allowed.map(allows)], rule.says);
  });
  return [...folders, ...files];
}

function filesOf({ files, freeTests }: FolderRule): string[] {
  const tests = ['**/*.test.ts', '**/testing/**', '**/*-child.ts'];
  return [...files, ...(freeTests ? tests.map((test) => `!${files[0]!.replace('**', '')}${test}`) : [])];
}

function patterns(name: string, rule: FolderRule): string[] {
  return forbidden(rule, name).flatMap((unit) => units.get(unit)!);
}

function allows({ imports }: Exception): string {
  return `!**/${imports}`;
}

function restriction(includes: string[], group: string[], message: string): object {
  const noRestrictedImports = { level: 'error', options: { patterns: [{ group, message }] } };
  return { includes, linter: { rules: { style: { noRestrictedImports } } } };
}

const WIDTH = 120;

/** As the formatter lays JSON out: lists of words in one line as long as they fit. `before`: columns of the line that are taken. */
function print(value: unknown, indent: string, before: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    const isPlain = value.every((item) => typeof item !== 'object');
    if (isPlain && before + line.length < WIDTH) return line;
    return `[\n${value.map((item) => deeper + print(item, deeper, deeper.length)).join(',\n')}\n${indent}]`;
  }
  const lines = Object.entries(value).map(([key, item]) => {
    const head = `${deeper}${JSON.stringify(key)}: `;
    return head + print(item, deeper, head.length);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

if (import.meta.main) writeFileSync(lintFile, lintConfig(readFileSync(lintFile, 'utf8')));
