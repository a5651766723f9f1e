/** npm run bench: see command-line.ts, or `npm run bench -- --help`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { checkout } from '../../scripts/checkout.ts';
import type { Ground } from './case.ts';
import { cases } from './cases/index.ts';
import { type Command, parseCommand, usage } from './command-line.ts';
import { compare, formatDifferences } from './compare.ts';
import { reached } from './goals.ts';
import { keepResults } from './keep.ts';
import { ROOT } from './machine.ts';
import { measure } from './measure.ts';
import { endChildren, endChildrenOnSignals } from './processes/child.ts';
import { formatProfile, topFunctions } from './profile.ts';
import { addRow, RESULTS, readResults, resultsOf } from './results.ts';
import { formatTurns, takeTurns } from './turns.ts';
import { digits } from './words.ts';

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  return 1;
});

async function main(argv: string[]): Promise<number> {
  let command: Command;
  try {
    command = parseCommand(argv, cases);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage(cases)}`);
    return 2;
  }
  if (command.do === 'help') console.log(usage(cases));
  else if (command.do === 'report') keepResults(RESULTS, readResults(RESULTS));
  else if (command.do === 'compare') {
    const after = command.after === undefined ? readResults(RESULTS) : resultsOf(command.after);
    console.log(formatDifferences(compare(cases, resultsOf(command.before), after)));
  } else if (command.do === 'turns') await turns(command);
  else return run(command);
  return 0;
}

async function turns({ commit, chosen, pairs }: Command & { do: 'turns' }): Promise<void> {
  const { ground } = begin();
  const trees = { a: await checkout(commit), b: ROOT };
  for (const { case: one, sizes } of chosen)
    for (const size of sizes) {
      console.log(`· ${one.title}, ${digits(size)}: ${commit} and these sources in turns`);
      const folder = join(ground.folder, `${one.name}-${size}`);
      console.log(
        formatTurns(one.figures, await takeTurns(one, size, { pairs, trees, ground: { ...ground, folder } })),
      );
    }
}

/** What is needed by everything that measures. */
function begin(): { ground: Ground; cache: string } {
  endChildrenOnSignals();
  // On the disk of the repository, not in a folder that may be memory.
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const say = (line: string) => console.log(`  ${line}`);
  return { cache, ground: { folder, now: realAmbient().clock.now(), say, profiled: false } };
}

/** A case that fails leaves the results of the others, and makes the command fail. */
async function run({ chosen, repetitions, profile }: Command & { do: 'run' }): Promise<number> {
  const { cache, ground: plain } = begin();
  const ground = { ...plain, profiled: profile };
  let failed = 0;
  for (const { case: one, sizes } of chosen) {
    console.log(`· ${one.title}`);
    for (const size of sizes) {
      try {
        const [row, profiles] = await measure(one, size, { repetitions, ground });
        if (profile) {
          const file = join(cache, `${one.name}-${size}.cpuprofile`);
          if (profiles.length > 0) writeFileSync(file, JSON.stringify(profiles.at(-1)));
          console.log(`\n${formatProfile(topFunctions(profiles, 25))}\n\n  the last one: ${file}\n`);
          continue;
        }
        // Read again: another run may have kept its results meanwhile.
        const results = readResults(RESULTS);
        addRow(results, one.name, row);
        keepResults(RESULTS, results);
        for (const { words, measured, met } of reached(one, results.cases[one.name]!).filter((r) => r.size === size))
          ground.say(`${digits(size)}: ${words}: ${measured}, ${met ? 'met' : 'missed'}`);
      } catch (error) {
        failed++;
        console.error(`  ${one.name}-${size} could not be measured: ${(error as Error).message}`);
        await endChildren();
      }
    }
  }
  if (!profile) console.log('Kept in bench/results: results.md, results.json and a picture per case.');
  return failed === 0 ? 0 : 1;
}
