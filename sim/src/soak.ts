/**
 * The long run: random actions and blows until the time is over, on two threads.
 *
 *   node sim/src/soak.ts [--minutes N] [--seed S] [--threads N]
 *   node sim/src/soak.ts --again SEED        one run once more, with what happened
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { measureQuiet } from './quiet.ts';
import { type SoakRun, scenarioOf, soakRun, sortOf } from './soak-run.ts';
import { play } from './workload/play.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    again: { type: 'string' },
  },
});

if (values.again === undefined) await soak(Number(values.minutes), values.seed, Number(values.threads));
else if (sortOf(values.again) !== 'actions') {
  const { wrong, again } = await soakRun(values.again);
  console.log([...wrong, again].join('\n'));
  process.exitCode = wrong.length > 0 ? 1 : 0;
} else {
  const { wrong, lines, logs, hash } = await play(scenarioOf(values.again), 1_000_000);
  console.log([...lines, '', ...logs, '', ...wrong, `trace ${hash}`].join('\n'));
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

async function soak(minutes: number, seed: string, threads: number): Promise<void> {
  const quiet = await measureQuiet(100, 600_000);
  console.log(
    `A quiet fleet of 100 hosts: simulated ${Math.round(quiet.ratio)} times faster than real (${Math.round(quiet.processorRatio)} by processor time).`,
  );
  const started = Date.now();
  const total = { runs: 0, crashes: 0, failures: 0, cuts: 0, simulatedMs: 0, slowestMs: 0, processorMs: 0, wrong: 0 };
  const line = () => {
    const seconds = (Date.now() - started) / 1000;
    const perMinute = Math.round((total.crashes / seconds) * 60);
    // What it would be on two processors that do nothing else.
    const inTenMinutes = Math.round((total.crashes / total.processorMs) * 2 * 600_000);
    console.log(
      `${Math.round(seconds)} s: ${total.runs} runs, ${total.crashes} crashes (${perMinute} a minute; by processor time ${inTenMinutes} in 10 minutes on two), ${total.cuts} connections cut, ${total.failures} steps failed, ${(total.simulatedMs / 3_600_000).toFixed(1)} h simulated (${Math.round(total.simulatedMs / 1000 / seconds)} times real), slowest settled after ${total.slowestMs / 1000} s, ${total.wrong} wrong`,
    );
  };
  const ticking = setInterval(line, 30_000);
  const workers = Array.from({ length: threads }, (_, n) => {
    const workerData = { seed: `${seed}-${n}`, untilMs: started + minutes * 60_000 };
    const worker = new Worker(new URL('./soak-worker.ts', import.meta.url), { workerData });
    worker.on('message', ({ run, processorMs }: { run: SoakRun; processorMs: number }) => {
      total.processorMs += processorMs;
      total.runs++;
      total.crashes += run.crashes;
      total.failures += run.failures;
      total.cuts += run.cuts;
      total.simulatedMs += run.simulatedMs;
      total.slowestMs = Math.max(total.slowestMs, run.settledAfterMs);
      if (run.wrong.length === 0) return;
      total.wrong++;
      console.log(`\nSeed ${run.seed}: ${run.wrong.slice(0, 5).join('\n  ')}\n\n${run.again}\n`);
    });
    return new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  });
  try {
    await Promise.all(workers);
  } finally {
    clearInterval(ticking);
  }
  line();
  process.exitCode = total.wrong > 0 ? 1 : 0;
}
