/**
 * Writes docs/reference/ from the kinds, their controllers and the limits, and docs/terraform/ from what the provider serves and
 * its examples: `node scripts/build-docs.ts`. A test compares what is there with this.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { watchPage } from '../reconciler/src/controllers/graph.ts';
import { kindModules } from '../reconciler/src/controllers/index.ts';
import { everyKind } from '../schemas/src/kinds/index.ts';
import { referenceFile, referenceIndex, referencePage } from '../schemas/src/project/reference.ts';
import { limitsPage } from '../schemas/src/project/reference-limits.ts';
import { listsPage } from '../schemas/src/project/reference-lists.ts';
import { MADE_FOLDERS, terraformFolder, terraformPages } from './terraform-docs/pages.ts';

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

/** Paths below docs/terraform of the pages in folders that hold nothing else. */
export function madePages(): string[] {
  return MADE_FOLDERS.flatMap((folder) =>
    existsSync(join(terraformFolder, folder))
      ? readdirSync(join(terraformFolder, folder)).map((name) => `${folder}/${name}`)
      : [],
  );
}

if (import.meta.main) {
  const pages = referencePages();
  mkdirSync(referenceFolder, { recursive: true });
  for (const name of readdirSync(referenceFolder)) if (!pages.has(name)) rmSync(join(referenceFolder, name));
  for (const [name, text] of pages) writeFileSync(join(referenceFolder, name), text);
  console.log(`docs/reference: ${pages.size} pages`);
  const ofTerraform = await terraformPages();
  for (const page of madePages()) if (!ofTerraform.has(page)) rmSync(join(terraformFolder, page));
  for (const [name, text] of ofTerraform) {
    mkdirSync(dirname(join(terraformFolder, name)), { recursive: true });
    writeFileSync(join(terraformFolder, name), text);
  }
  console.log(`docs/terraform: ${ofTerraform.size} pages`);
}
