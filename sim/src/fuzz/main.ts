/**
 * Random inputs for every reader of what comes from outside, for as long as there is time.
 *
 *   npm run soak -- --fuzz [--minutes N] [--seed S] [TARGET…]
 *   npm run soak -- --fuzz --again SEED/TARGET/NUMBER      one input once more
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { tryOne } from './run.ts';
import type { Finding, FuzzTarget } from './target.ts';
import { targets } from './targets/soak.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fuzz: { type: 'boolean' },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now()) },
    again: { type: 'string' },
  },
});

const known = targets.map(({ name }) => name);
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: no target; there are ${known.join(', ')}`);
  process.exit(2);
}
const chosen = positionals.length === 0 ? targets : targets.filter(({ name }) => positionals.includes(name));
process.exitCode = values.again === undefined ? await all(chosen) : await again(values.again);
process.exit();

async function all(chosen: readonly FuzzTarget[]): Promise<number> {
  const { findings, tallies } = await fuzz({
    module: new URL('./targets/soak.ts', import.meta.url).href,
    targets: chosen,
    seed: values.seed,
    forMs: Number(values.minutes) * 60_000,
    hangsMs: 120_000,
    onFinding: tell,
    onTally: ({ target, inputs, refused, slowestMs }) =>
      console.log(
        `${target.padEnd(14)} ${String(inputs).padStart(9)} inputs, ${refused} refused, slowest ${slowestMs.toFixed(1)} ms`,
      ),
  });
  const inputs = tallies.reduce((sum, tally) => sum + tally.inputs, 0);
  console.log(`Seed ${values.seed}: ${inputs} inputs, ${findings.length} findings`);
  return findings.length > 0 ? 1 : 0;
}

async function again(seed: string): Promise<number> {
  const target = targets.find(({ name }) => name === seed.split('/').at(-2));
  if (!target) throw new Error(`${seed} names no target: SEED/TARGET/NUMBER`);
  await target.open?.();
  const { findings, tookMs, refused } = await tryOne(target, seed);
  await target.close?.();
  for (const finding of findings) tell(finding);
  console.log(`${refused ? 'refused' : 'taken'} in ${tookMs.toFixed(1)} ms, ${findings.length} findings`);
  return findings.length > 0 ? 1 : 0;
}

function tell({ again, what, input }: Finding): void {
  console.log(`\n${again}\n  ${what}\n  input: ${input}\n  npm run soak -- --fuzz --again ${again}\n`);
}
