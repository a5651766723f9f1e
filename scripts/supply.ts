/**
 * `npm run supply`: what Plumb is made of besides its own source. Checks the lock file, the licences, and, where the registry
 * can be asked, what is known against the packages; builds, and compares the bill of materials with what is in dist/.
 *
 *   node scripts/supply.ts [--quick]      --quick: only what needs neither network nor build
 *
 * Ends with 1 when something is wrong. What could not be checked is said, and is no failure.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build-inputs.ts';
import { StepFailed, Steps } from './steps.ts';
import { advisories } from './supply/advisories.ts';
import { licenceProblems } from './supply/licences.ts';
import {
  installedProblems,
  type Lock,
  lockProblems,
  type Manifest,
  manifestProblems,
  settingProblems,
} from './supply/lock.ts';

/** What is wrong that can be seen in the repository alone. */
export function quickProblems(folder: string = root): string[] {
  const text = (path: string) => readFileSync(join(folder, path), 'utf8');
  const lock = JSON.parse(text('package-lock.json')) as Lock;
  const main = JSON.parse(text('package.json')) as Manifest;
  const manifests: Record<string, Manifest> = { '': main };
  for (const workspace of main.workspaces ?? []) manifests[workspace] = JSON.parse(text(`${workspace}/package.json`));
  const installed = 'node_modules/.package-lock.json';
  return [
    ...lockProblems(lock),
    ...manifestProblems(lock, manifests),
    ...settingProblems(existsSync(join(folder, '.npmrc')) ? text('.npmrc') : ''),
    ...licenceProblems(lock),
    ...(existsSync(join(folder, installed)) ? installedProblems(lock, JSON.parse(text(installed))) : []),
    ...goProblems(folder),
  ];
}

/** A Go module that requires others must have their hashes beside it. */
function goProblems(folder: string): string[] {
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('go.mod') && !/(^|\/)(node_modules|\.cache|dist|\.plumb)\//.test(path),
  );
  return modules.flatMap((path) => {
    const requires = /^\s*require\b/m.test(readFileSync(join(folder, path), 'utf8'));
    return requires && !existsSync(join(folder, path.replace(/go\.mod$/, 'go.sum')))
      ? [`${path} has no go.sum beside it`]
      : [];
  });
}

function expectNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function main(quick: boolean): Promise<void> {
  const steps = new Steps();
  await steps.run('Lock file and licences', 'correct what is named', async (step) => {
    expectNone(quickProblems());
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
    step.note(`${Object.keys(packages).filter((path) => path.includes('node_modules/')).length} packages`);
  });
  if (quick) return;
  await steps.run(
    'Advisories',
    'take the version that mends it, or say here why it does not concern us',
    async (step) => {
      const known = await advisories(root);
      if ('unchecked' in known) return step.note(`NOT CHECKED: ${known.unchecked}`);
      const lines = known.found.map(({ name, severity, title, url }) => `${name}: ${severity}: ${title} ${url}`);
      for (const [index, line] of lines.entries()) if (known.found[index]!.tool) step.line(`a tool: ${line}`);
      step.note(`${known.found.length} known`);
      expectNone(lines.filter((_, index) => !known.found[index]!.tool));
    },
  );
  await steps.run(
    'Bill of materials',
    'run "npm run build"; if it stays, the build and scripts/supply/bom.ts differ',
    async (step) => {
      const { build } = await import('./build.ts');
      const { billProblems, billFile } = await import('./supply/check-bom.ts');
      await build();
      expectNone(await billProblems());
      step.note(billFile);
    },
  );
}

if (import.meta.main) {
  await main(process.argv.includes('--quick')).catch((error: unknown) => {
    if (!(error instanceof StepFailed)) throw error;
    process.exitCode = 1;
  });
}
