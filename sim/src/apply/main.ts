/**
 * Random histories of applies and updates, kept account of by Plumb and by Kubernetes' own field manager, which is built from its Go
 * modules.
 *
 *   npm run soak -- --apply 100000 [--seed S]      so many histories
 *   npm run soak -- --apply 1000 --seed golden --record     writes the sample that npm test compares with
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildFieldManager } from './build.ts';
import { GOLDEN, historyOf, type Recorded, recorded } from './golden.ts';
import { type Outcome, plain, playAll } from './play.ts';

const { values } = parseArgs({
  options: {
    apply: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
  },
});

const { program, schemas, version } = await buildFieldManager((line) => console.error(line));
const child = spawn(program, [schemas], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
const kept: Recorded[] = [];
const total = { histories: 0, steps: 0, conflicts: 0, different: 0 };

for (let number = 0; number < Number(values.apply); number++) {
  const history = historyOf(values.seed, number);
  if (!child.stdin.write(`${JSON.stringify(history)}\n`)) await once(child.stdin, 'drain');
  const theirs = JSON.parse((await answers.next()).value as string) as Outcome[];
  const ours = playAll(history);
  total.histories++;
  total.steps += theirs.length;
  total.conflicts += theirs.filter(({ conflicts }) => conflicts !== undefined).length;
  const at = theirs.findIndex((one, step) => JSON.stringify(plain(one)) !== JSON.stringify(plain(ours[step]!)));
  if (at >= 0 && total.different++ < 10) {
    console.log(`history ${values.seed}/${number}, step ${at}: ${JSON.stringify(history.steps[at])}`);
    console.log(`  Plumb       ${JSON.stringify(plain(ours[at]!))}`);
    console.log(`  Kubernetes  ${JSON.stringify(plain(theirs[at]!))} ${theirs[at]!.error ?? ''}`);
  }
  if (values.record) kept.push(recorded(history, theirs));
}
child.stdin.end();

console.log(
  `structured-merge-diff ${version}: ${total.histories} histories, ${total.steps} steps, ${total.conflicts} conflicts; ` +
    `${total.different} histories differ`,
);
if (values.record) {
  const text = JSON.stringify({ version, seed: values.seed, histories: kept }, undefined, 1);
  writeFileSync(GOLDEN, `${text.replaceAll(/\n +(?=["\]])/g, ' ')}\n`);
}
process.exitCode = total.different > 0 ? 1 : 0;
