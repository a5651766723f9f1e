/**
 * Prints `seed hash` for runs FROM to TO of the random simulation of the sources at ROOT: the hash is of everything that
 * happened, in its order. For scripts/traces.ts, which runs it on two commits.
 *
 *   node scripts/trace-seeds.ts ROOT FROM TO
 */
import { join } from 'node:path';
import type { scenarioOf as ScenarioOf } from '../sim/src/soak-run.ts';
import type { play as Play } from '../sim/src/workload/play.ts';

const [root = '.', from = '0', to = '0'] = process.argv.slice(2);
const { scenarioOf } = (await import(join(root, 'sim/src/soak-run.ts'))) as { scenarioOf: typeof ScenarioOf };
const { play } = (await import(join(root, 'sim/src/workload/play.ts'))) as { play: typeof Play };
for (let n = Number(from); n < Number(to); n++) {
  const { hash } = await play(scenarioOf(`trace-${n}`));
  console.log(`trace-${n} ${hash}`);
}
