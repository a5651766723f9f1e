/**
 * Whether tests notice faults: sources of the plan, the flow, the controllers and the agent's session are loaded with one small fault
 * each, and some test must turn red. No file changes. A fault that nothing follows from survives, too: look at what is listed.
 *
 *   npm run soak -- --mutants N [--area NAME] [--seed S] [--from K] [--at-once N] [--groups N] [--only TEXT]
 *
 * The same seed draws the same faults in the same order, as long as the sources are the same: `--from K` passes the first K over.
 * Most faults are noticed by the nearest tests: `--groups 1` asks these alone, in seconds, and `--only FILE:LINE` asks all of them about
 * what is left.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Dice } from '../../sim/src/core/dice.ts';
import { run } from '../run.ts';
import { NODE, ROOT } from '../setup.ts';
import { inParallel } from '../test-files.ts';
import { type Area, areas } from './areas.ts';
import { type Mutation, mutationsOf } from './mutations.ts';
import { importsBelow, testsFor } from './reach.ts';

/** Far more than tests take: what takes longer hangs, which is noticed. */
const MOST_MS = 600_000;

interface Mutant extends Mutation {
  file: string;
  area: Area;
}

const options = {
  mutants: { type: 'string' },
  area: { type: 'string' },
  seed: { type: 'string', default: 'mutants' },
  from: { type: 'string', default: '0' },
  groups: { type: 'string', default: '9' },
  only: { type: 'string', default: '' },
  'at-once': { type: 'string', default: `${availableParallelism()}` },
} as const;
const { values } = parseArgs({ options });
const chosen = areas.filter(({ name }) => values.area === undefined || values.area === name);
const all = chosen.flatMap((area) =>
  area.sources.flatMap((folder) => sourcesIn(join(ROOT, folder)).flatMap((file) => mutantsOf(area, file))),
);
const dice = new Dice(values.seed);
const from = Number(values.from);
const tried = shuffled(all)
  .filter((mutant) => nameOf(mutant).includes(values.only))
  .slice(from, from + Number(values.mutants));
const graph = importsBelow(
  ROOT,
  ['schemas', 'client', 'reconciler', 'agent', 'sim'].map((name) => `${name}/src`),
);
console.log(`${tried.length} of ${all.length} faults, seed ${values.seed}`);

const survivors: Mutant[] = [];
let done = 0;
await inParallel(tried, Number(values['at-once']), async (mutant) => {
  const startedAt = Date.now();
  const noticed = await isNoticed(mutant);
  if (!noticed) survivors.push(mutant);
  done += 1;
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.log(`${done}/${tried.length}  ${noticed ? 'noticed ' : 'SURVIVES'}  ${nameOf(mutant)}  ${seconds} s`);
});
for (const mutant of survivors) console.log(`survives  ${nameOf(mutant)}: ${mutant.becomes.trim() || '(nothing)'}`);
const share = (100 * (tried.length - survivors.length)) / Math.max(1, tried.length);
console.log(`Mutants: ${tried.length - survivors.length} of ${tried.length} noticed (${share.toFixed(1)} %)`);
process.exitCode = share >= 90 ? 0 : 1;

async function isNoticed({ area, file, line, becomes }: Mutant): Promise<boolean> {
  const groups = area.tests.map((starts) => starts.map((start) => join(ROOT, start)));
  for (const tests of testsFor(file, groups, graph).slice(0, Number(values.groups))) {
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'unit',
      '--bail',
      '1',
      '--maxWorkers',
      '1',
      ...tests,
    ];
    const env = { PLUMB_MUTANT: JSON.stringify({ file, line, becomes }), NO_COLOR: '1' };
    const { code } = await run(NODE, args, { cwd: ROOT, env, timeoutMs: MOST_MS, accept: [0] }).catch(() => ({
      code: 1,
    }));
    if (code !== 0) return true;
  }
  return false;
}

function nameOf({ file, line, what }: Mutant): string {
  return `${relative(ROOT, file)}:${line} ${what}`;
}

function mutantsOf(area: Area, file: string): Mutant[] {
  return mutationsOf(readFileSync(file, 'utf8')).map((mutation) => ({ ...mutation, file, area }));
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('testing/'))
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .sort();
}

function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(dice.between(0, left.length - 1), 1)[0]!);
}
