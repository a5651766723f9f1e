/** npm run bench -- peers: see command-line.ts, or `npm run bench -- peers --help`. README.md beside this file says how. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { ROOT, surroundings } from '../src/machine.ts';
import { endChildrenOnSignals } from '../src/processes/child.ts';
import { startPlumb } from '../src/processes/plumb.ts';
import { machineBusySeconds, treeCpuSeconds } from '../src/processes/usage.ts';
import { type PeerRunOptions, parsePeerCommand, USAGE } from './command-line.ts';
import { measureGaneti } from './ganeti/measure.ts';
import { makeGanetiRoot } from './ganeti/root.ts';
import { buildKubernetes } from './kubernetes/build.ts';
import { burstOfPods } from './kubernetes/burst.ts';
import { startCluster } from './kubernetes/cluster.ts';
import { burstOfInstances } from './plumb.ts';
import { endProgramsOnExit } from './program.ts';
import { keepPeerResults } from './report.ts';
import type { PeerName, PeerResults, PeerRun } from './result.ts';

/** Clients that are connected already when a burst begins. */
const CONNECTIONS = 500;
const WARM_UP = 500;
/** Bursts of up to 1,000 are repeated in each round. */
const REPEATED = 3;

const { peers, sizes, ganetiSizes, rounds, hosts, encoding } = options();

endChildrenOnSignals();
endProgramsOnExit();
const cache = join(ROOT, '.cache', 'peers');
mkdirSync(cache, { recursive: true });
// On the disk of the repository, not in a folder that may be memory.
const folder = mkdtempSync(join(cache, 'run-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));
const now = realAmbient().clock.now();
const say = (line: string) => console.log(`  ${line}`);

const kubernetes = peers.includes('kubernetes') ? await buildKubernetes(say) : undefined;
const ganeti = peers.includes('ganeti') ? await makeGanetiRoot(say) : undefined;
const results: PeerResults = {
  measured: surroundings(now),
  peerVersions: { ...kubernetes?.versions, ...ganeti?.versions },
  ...{ hosts, connections: CONNECTIONS, rounds: 0, encoding, runs: [], failures: [] },
};
for (let round = 1; round <= rounds; round++) {
  console.log(`· Round ${round} of ${rounds}`);
  await attempt('plumb', round, () => measurePlumb(round));
  if (kubernetes) await attempt('kubernetes', round, () => measureKubernetes(round));
  for (const size of ganeti ? ganetiSizes : [])
    await attempt('ganeti', round, () => record('ganeti', round, size, () => measureGaneti(ganeti!, folder, size)));
  results.rounds = round;
  // A run that is broken off later has what it measured.
  keepPeerResults(join(ROOT, 'bench', 'results'), results);
}
console.log('Kept in bench/results/peers.md and peers.json.');

/** One that fails leaves the results of the others, is told in the results, and makes the command fail. */
async function attempt(peer: PeerName, round: number, measure: () => Promise<void>): Promise<void> {
  try {
    await measure();
  } catch (error) {
    process.exitCode = 1;
    const why = (error as Error).message.split('\n', 1)[0]!.slice(0, 300);
    results.failures.push({ peer, round, why });
    say(`${peer} could not be measured: ${why}`);
  }
}

async function measurePlumb(round: number): Promise<void> {
  const data = join(folder, `plumb-${round}`);
  mkdirSync(data);
  const plumb = await startPlumb({ folder: data, hosts, connections: CONNECTIONS });
  try {
    await inOrder('plumb', round, (size, prefix) => burstOfInstances(plumb, size, prefix));
  } finally {
    await plumb.close();
  }
}

async function measureKubernetes(round: number): Promise<void> {
  const data = join(folder, `kubernetes-${round}`);
  const options = { folder: data, programs: kubernetes!, nodes: hosts, connections: CONNECTIONS, now };
  const cluster = await startCluster(options);
  try {
    await inOrder('kubernetes', round, (size, prefix) => burstOfPods(cluster, size, prefix, encoding));
  } finally {
    await cluster.close();
  }
}

/** All sizes, behind one burst that warms up and does not count. */
async function inOrder(
  peer: PeerName,
  round: number,
  burst: (size: number, prefix: string) => Promise<PeerRun>,
): Promise<void> {
  await burst(WARM_UP, 'warm');
  for (const size of sizes)
    for (let i = 0; i < (size <= 1000 ? REPEATED : 1); i++)
      await record(peer, round, size, () => burst(size, `b${size}-${i}`));
}

/** Keeps what one burst took, and how busy others kept the machine meanwhile. */
async function record(peer: PeerName, round: number, size: number, burst: () => Promise<PeerRun>): Promise<void> {
  const before = { at: performance.now(), busy: machineBusySeconds(), own: treeCpuSeconds(process.pid) };
  const run = await burst();
  const seconds = (performance.now() - before.at) / 1000;
  const others = machineBusySeconds() - before.busy - (treeCpuSeconds(process.pid) - before.own);
  results.runs.push({ peer, round, othersCores: Math.max(0, others / seconds), ...run });
  say(`${peer}: ${size} run after ${(run.ready / 1000).toFixed(2)} s`);
}

/** As they were typed; ends the process when help was asked for, or when they are wrong. */
function options(): PeerRunOptions {
  try {
    const typed = parsePeerCommand(process.argv.slice(2));
    if (typed) return typed;
    console.log(USAGE);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
  }
  process.exit();
}
