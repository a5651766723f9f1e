import { cpuSeconds, memoryMiB } from '../../src/processes/usage.ts';
import { quantile } from '../../src/statistics.ts';
import type { PeerClient } from '../client.ts';
import { type Program, pause } from '../program.ts';
import type { PeerRun } from '../result.ts';
import type { Cluster } from './cluster.ts';
import { CONTENT_TYPES, type Encoding, PODS, pod } from './objects.ts';
import { Running } from './running.ts';

const PATIENCE_MS = 900_000;
/** How long the programs rest between two bursts; a second is enough for their queues to run empty. */
const REST_MS = 2_000;

/**
 * Creates `size` pods at once, waits until a watch has shown all of them Running, and deletes them again. Rejects when
 * one does not run.
 */
export async function burstOfPods(
  cluster: Cluster,
  size: number,
  prefix: string,
  encoding: Encoding,
): Promise<PeerRun> {
  const { client, programs, scrapeEtcd } = cluster;
  const type = CONTENT_TYPES[encoding];
  const bodies = Array.from({ length: size }, (_, i) => pod(`${prefix}-${i}`, encoding));
  const running = await Running.open(client);
  try {
    const before = counted(programs, await scrapeEtcd());
    const started = performance.now();
    const posts = bodies.map((body) => client.expect(201, 'POST', PODS, { body, contentType: type, accept: type }));
    const answered = Promise.all(posts).then(() => performance.now() - started);
    await Promise.all([answered, running.until(size, PATIENCE_MS)]);
    const after = counted(programs, await scrapeEtcd());
    const memory = programs.map(({ pid }) => memoryMiB(pid).now);
    await check(client, size);
    const times = [...running.at.values()].map((at) => at - started);
    return {
      size,
      ready: Math.max(...times),
      half: quantile(times, 0.5),
      answered: await answered,
      cpuMsPerCreate: ((after.cpu - before.cpu) * 1000) / size,
      recordsPerCreate: (after.puts - before.puts) / size,
      syncsPerCreate: (after.syncs - before.syncs) / size,
      memoryMiB: memory.reduce((sum, one) => sum + one, 0),
    };
  } finally {
    running.close();
    await remove(client);
  }
}

/** The watch is not believed alone. */
async function check(client: PeerClient, size: number): Promise<void> {
  type Pod = { spec: { nodeName?: string }; status: { phase: string } };
  const { items } = await client.json<{ items: Pod[] }>('GET', PODS);
  const count = items.filter(({ spec, status }) => spec.nodeName && status.phase === 'Running').length;
  if (count !== size) throw new Error(`${count} of ${size} pods run on a node`);
}

/** Deletes all pods in the cheapest way, and waits until the programs have come to rest: nothing of it is measured. */
async function remove(client: PeerClient): Promise<void> {
  await client.expect(200, 'DELETE', `${PODS}?gracePeriodSeconds=0`);
  for (;;) {
    const { items } = await client.json<{ items: unknown[] }>('GET', `${PODS}?limit=1`);
    if (items.length === 0) break;
    await pause(200);
  }
  await pause(REST_MS);
}

/** What the programs have used and written until now. */
function counted(programs: readonly Program[], etcd: string) {
  const count = (name: string) => {
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(etcd)?.[1];
    if (value === undefined) throw new Error(`etcd does not report ${name}`);
    return Number(value);
  };
  return {
    cpu: programs.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    puts: count('etcd_mvcc_put_total'),
    syncs:
      count('etcd_disk_wal_fsync_duration_seconds_count') + count('etcd_disk_backend_commit_duration_seconds_count'),
  };
}
