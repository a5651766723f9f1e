/**
 * inside.ts ROOT STATE SIZE: creates SIZE instances on a new cluster and prints what was measured, as a line of JSON. It
 * has mount, network and process namespaces to itself, which end with it and take all of Ganeti along.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { treeCpuSeconds } from '../../src/processes/usage.ts';
import { quantile } from '../../src/statistics.ts';
import { pause } from '../program.ts';
import type { PeerRun } from '../result.ts';
import { type GanetiCluster, HOST, initCluster, OS } from './cluster.ts';

const WARM_UP = 5;
const PATIENCE_MS = 1_200_000;
const [root, state, size] = process.argv.slice(2) as [string, string, string];

const cluster = await initCluster(root, state);
await create(cluster, 0, WARM_UP);
console.log(JSON.stringify(await create(cluster, WARM_UP, Number(size))));

/** Creates instances by one command, which hands them all to the master at once. Rejects unless all of them run. */
async function create({ command, instances, shared }: GanetiCluster, from: number, count: number): Promise<PeerRun> {
  const file = 'instances.json';
  const all = Array.from({ length: count }, (_, i) => instance(from + i));
  writeFileSync(join(shared[0], file), JSON.stringify(all));
  const cpuBefore = cpuSeconds();
  const started = performance.now();
  const created = command('gnt-instance', 'batch-create', join(shared[1], file));
  let failure: Error | undefined;
  created.catch((error: Error) => {
    failure = error;
  });
  // The fake hypervisor's files are looked at rather than Ganeti asked: it would have to answer beside its work.
  const times: number[] = [];
  while (times.length < count) {
    if (failure) throw failure;
    if (performance.now() - started > PATIENCE_MS) throw new Error(`${times.length} of ${count} instances run`);
    await pause(20);
    const now = performance.now() - started;
    for (let running = readdirSync(instances).length - from; times.length < running; ) times.push(now);
  }
  const cpu = cpuSeconds() - cpuBefore;
  await created;
  const listed = await command('gnt-instance', 'list', '--no-headers', '-o', 'status');
  const running = listed.split('\n').filter((line) => line.trim() === 'running').length;
  if (running !== from + count) throw new Error(`${running} of ${from + count} instances run`);
  return { size: count, ready: times.at(-1)!, half: quantile(times, 0.5), cpuMsPerCreate: (cpu * 1000) / count };
}

/** As Ganeti's opcode OP_INSTANCE_CREATE: no disk and no checks of names and addresses, which asks the least. */
function instance(i: number): object {
  return {
    ...{ mode: 'create', instance_name: `b-${i}`, os_type: OS, pnode: HOST, start: true },
    ...{ disk_template: 'diskless', disks: [], hypervisor: 'fake', beparams: {}, hvparams: {} },
    nics: [{ mode: 'routed', link: 'main', ip: `10.20.${Math.floor(i / 200)}.${(i % 200) + 1}` }],
    ...{ name_check: false, ip_check: false, conflicts_check: false },
  };
}

/** Of everything in these namespaces but this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return treeCpuSeconds(1) - (user + system) / 1e6;
}
