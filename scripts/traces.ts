/**
 * Whether these sources do in the simulation, step by step, what another commit did: the oracle of a refactoring.
 *
 *   npm run soak -- --traces COMMIT [--seeds N]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { checkout } from './checkout.ts';
import { run } from './run.ts';
import { NODE, ROOT } from './setup.ts';
import { inParallel } from './test-files.ts';

/** Seeds of one process: few enough that all processors are busy to the end. */
const SHARE = 100;

const { values } = parseArgs({ options: { traces: { type: 'string' }, seeds: { type: 'string', default: '10000' } } });
const commit = values.traces ?? 'HEAD';
const seeds = Number(values.seeds);
const before = await checkout(commit);

const shares = Array.from({ length: Math.ceil(seeds / SHARE) }, (_, n) => n * SHARE);
const differ: string[] = [];
let compared = 0;
await inParallel(shares, availableParallelism(), async (from) => {
  const to = Math.min(seeds, from + SHARE);
  const [was, is] = [await traces(before, from, to), await traces(ROOT, from, to)];
  for (const [n, line] of was.entries()) if (line !== is[n]) differ.push(line.split(' ')[0]!);
  compared += was.length;
  console.log(`${compared} of ${seeds} compared, ${differ.length} differ`);
});
for (const seed of differ.slice(0, 10)) console.log(`differs: npm run soak -- --again ${seed}`);
console.log(`Traces: ${compared - differ.length} as in ${commit}, ${differ.length} different`);
process.exitCode = differ.length > 0 ? 1 : 0;

async function traces(root: string, from: number, to: number): Promise<string[]> {
  const { stdout } = await run(NODE, ['scripts/trace-seeds.ts', root, `${from}`, `${to}`], { cwd: ROOT });
  const lines = stdout.trim().split('\n');
  if (lines.length !== to - from) throw new Error(`${root} has ${lines.length} traces instead of ${to - from}`);
  return lines;
}
