/** Writes docs/reference/ from the kinds, their controllers and the limits: `node scripts/build-docs.ts`. A test compares what is there with this. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { watchPage } from '../reconciler/src/controllers/graph.ts';
import { kindModules } from '../reconciler/src/controllers/index.ts';
import { everyKind } from '../schemas/src/kinds/index.ts';
import { referenceFile, referenceIndex, referencePage } from '../schemas/src/project/reference.ts';
import { limitsPage } from '../schemas/src/project/reference-limits.ts';
import { listsPage } from '../schemas/src/project/reference-lists.ts';

export const referenceFolder = join(import.meta.dirname, '..', 'docs', 'reference');

/** The content of every page by the name of its file. */
export function referencePages(): Map<string, string> {
  const pages = everyKind.map((kind) => [referenceFile(kind), referencePage(kind)] as const);
  return new Map([
    ['README.md', referenceIndex(everyKind)],
    ...pages,
    ['limits.md', limitsPage()],
    ['lists.md', listsPage(everyKind)],
    ['who-wakes-whom.md', watchPage(kindModules)],
  ]);
}

if (import.meta.main) {
  const pages = referencePages();
  mkdirSync(referenceFolder, { recursive: true });
  for (const name of readdirSync(referenceFolder)) if (!pages.has(name)) rmSync(join(referenceFolder, name));
  for (const [name, text] of pages) writeFileSync(join(referenceFolder, name), text);
  console.log(`docs/reference: ${pages.size} pages`);
}
