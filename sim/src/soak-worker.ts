/** A thread of the soak: runs until its time is over, and tells of each run. */
import { parentPort, workerData } from 'node:worker_threads';
import { soakRun } from './soak-run.ts';

const { seed, untilMs } = workerData as { seed: string; untilMs: number };

for (let n = 0; Date.now() < untilMs; n++) {
  const before = process.threadCpuUsage();
  const run = await soakRun(`${seed}-${n}`);
  const { user, system } = process.threadCpuUsage(before);
  parentPort!.postMessage({ run, processorMs: (user + system) / 1000 });
}
