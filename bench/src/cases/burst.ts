import { join } from 'node:path';
import type { Case, CpuProfile, Sample } from '../case.ts';
import { startFloor } from '../floor/floor.ts';
import type { HttpsClient } from '../http/client.ts';
import { type Change, Followed, isReady } from '../http/followed.ts';
import { growth, type Scrape } from '../http/scrape.ts';
import { newHistogram, recordMs } from '../latencies.ts';
import type { Child } from '../processes/child.ts';
import { type Around, INSTANCES, instance, type Server, startPlumb } from '../processes/plumb.ts';
import { cpuSeconds, memoryMiB } from '../processes/usage.ts';

/** Clients that are connected already when the burst begins; a smaller burst has as many as it has instances. */
const CLIENTS = 500;
const PER_HOST = 10;

export const burst: Case = {
  name: 'burst',
  title: 'A burst of creates, to all Running',
  about: [
    'N instances, each with root disk, address and port, are POSTed at once by 500 clients that are connected already (by N,',
    'if that is fewer). The clock runs from the first POST until a watch has shown the last instance Ready on its simulated',
    'host. There are 100 hosts, and 1,000 for 10,000 instances. The floor is fixed: N authenticated POSTs on the same number',
    'of warm TLS connections to a server that only answers, 3N records of 1 KiB made durable in three transactions, and N',
    'round trips to an agent that only answers, one after the other, by the same libraries.',
  ].join('\n'),
  axis: 'instances created at once',
  sizes: [1, 100, 500, 10_000],
  figures: [
    { name: 'ready', title: 'all Running', unit: 'ms' },
    { name: 'half', title: 'half of them Running', unit: 'ms' },
    { name: 'answered', title: 'all POSTs answered', unit: 'ms' },
    { name: 'gone', title: 'all deleted', unit: 'ms' },
    { name: 'posts', title: 'floor: POSTs', unit: 'ms' },
    { name: 'records', title: 'floor: records', unit: 'ms' },
    { name: 'roundTrips', title: 'floor: round trips', unit: 'ms' },
    { name: 'recordsPerCreate', title: 'records per create', unit: 'count' },
    { name: 'bytesPerCreate', title: 'bytes stored per create', unit: 'bytes' },
    { name: 'batchesPerCreate', title: 'batches per create', unit: 'count' },
    { name: 'transactionsPerCreate', title: 'waits for the disk per create', unit: 'count' },
    { name: 'messagesToAgentsPerCreate', title: 'messages to agents per create', unit: 'count' },
    { name: 'messagesFromAgentsPerCreate', title: 'messages from agents per create', unit: 'count' },
    { name: 'serverCpuPerCreate', title: 'server CPU per create', unit: 'ms' },
    { name: 'agentCpuPerCreate', title: 'agent CPU per create', unit: 'ms' },
    { name: 'rss', title: 'resident memory of the server behind it', unit: 'MiB' },
  ],
  goals: [{ figure: 'ready', atMost: 3, times: 'floor', sizes: [500, 10_000] }],
  picture: { also: ['half', 'answered'] },
  async open(size, { folder, now, profiled, tree }) {
    const connections = Math.min(CLIENTS, size);
    await using started = new AsyncDisposableStack();
    const floor = await startFloor(join(folder, 'floor'), connections, (i) => instance(`floor-${i}`), now);
    started.defer(() => floor.close());
    const hosts = Math.max(100, size / PER_HOST);
    const plumb = await startPlumb({ folder, hosts, connections, profiled, tree });
    started.defer(() => plumb.close());
    const running = started.move();
    return {
      run: (repetition) => createAndDelete(plumb, size, `b${repetition}`),
      floor: async () => {
        const { total, ...parts } = await floor.measure(size);
        return { ready: total, ...parts };
      },
      close: () => running.disposeAsync(),
    };
  },
};

/** Creates `size` instances at once and deletes them again. Any refused request and any failed instance rejects. */
export async function createAndDelete(
  { server, agent, client, around }: { server: Server; agent: Child; client: HttpsClient; around?: Around },
  size: number,
  prefix: string,
): Promise<Sample> {
  const names = Array.from({ length: size }, (_, i) => `${prefix}-${i}`);
  const readyAt = new Map<string, number>();
  const gone = new Set<string>();
  let started = 0;
  const take = ({ type, object }: Change) => {
    const { name } = object.metadata;
    if (type === 'DELETED') gone.add(name);
    else if (!readyAt.has(name) && isReady(object)) readyAt.set(name, performance.now() - started);
  };
  // The client shares the machine with what it measures: it reads closely only what can be the news that it waits for.
  const worth = (line: string) => line.startsWith('{"type":"DELETED"') || line.includes('"True"');
  const followed = await Followed.open(client, INSTANCES, take, { worth });
  try {
    await client.warm('/version');
    const before = { server: await server.scrape(), agentCpu: cpuSeconds(agent.pid) };
    await server.profiler?.start();
    started = performance.now();
    const allReady = followed.until(
      () => readyAt.size === size,
      () => `${size - readyAt.size} of ${size} instances are not Ready`,
    );
    const posts = Promise.all(names.map((name) => client.expect(201, 'POST', INSTANCES, instance(name, around))));
    const [answered] = await Promise.all([posts.then(() => performance.now() - started), allReady]);
    const profile: CpuProfile | undefined = await server.profiler?.stop();
    const after = { server: await server.scrape(), agentCpu: cpuSeconds(agent.pid) };

    const deleting = performance.now();
    const deletes = names.map((name) => client.expect(200, 'DELETE', `${INSTANCES}/${name}`));
    await Promise.all([
      ...deletes,
      followed.until(
        () => gone.size === size,
        () => `${size - gone.size} of ${size} instances are not gone`,
      ),
    ]);
    const latencies = newHistogram();
    for (const ms of readyAt.values()) recordMs(latencies, ms);
    return {
      figures: {
        ready: Math.max(...readyAt.values()),
        half: latencies.percentile(50) / 1000,
        answered,
        gone: performance.now() - deleting,
        ...perCreate(size, before.server, after.server),
        agentCpuPerCreate: ((after.agentCpu - before.agentCpu) * 1000) / size,
        rss: memoryMiB(server.child.pid).now,
      },
      latencies,
      profile,
    };
  } finally {
    followed.close();
  }
}

/** What the server did for one create, of all that it did between two scrapes. */
function perCreate(size: number, before: Scrape, after: Scrape) {
  const grew = (name: string) => {
    const by = growth(before, after, name);
    if (by === undefined) throw new Error(`the server does not report ${name}`);
    return by / size;
  };
  return {
    recordsPerCreate: grew('plumb_store_records_total'),
    bytesPerCreate: grew('plumb_store_bytes_total'),
    batchesPerCreate: grew('plumb_store_batches_total'),
    transactionsPerCreate: grew('plumb_store_transactions_total'),
    messagesToAgentsPerCreate: grew('plumb_fleet_messages_total{direction="sent"}'),
    messagesFromAgentsPerCreate: grew('plumb_fleet_messages_total{direction="received"}'),
    serverCpuPerCreate: grew('process_cpu_seconds_total') * 1000,
  };
}
