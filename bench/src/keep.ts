import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from './cases/index.ts';
import { drawCase } from './picture.ts';
import { formatResults } from './report.ts';
import { type Results, writeResults } from './results.ts';

/** Writes everything that is made of results into the folder: the numbers, the page for people, a picture per case. */
export function keepResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeResults(folder, results);
  writeFileSync(join(folder, 'results.md'), formatResults(cases, results, readNotes(join(folder, 'notes'))));
  for (const one of cases) {
    const rows = results.cases[one.name];
    if (rows?.length) writeFileSync(join(folder, `${one.name}.svg`), drawCase(one, rows));
  }
}

/** What people wrote about cases, in `<case>.md`: why a goal was missed and what to try next. */
function readNotes(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const files = readdirSync(folder).filter((file) => file.endsWith('.md'));
  return Object.fromEntries(files.map((file) => [file.slice(0, -3), readFileSync(join(folder, file), 'utf8')]));
}
