import { join } from 'node:path';
import { type FloorTimes, startFloor } from './floor/floor.ts';
import { INSTANCES, instance, type Plumb, startPlumb } from './plumb.ts';
import { growth, type Scrape } from './scrape.ts';
import { quantile, type Spread, spread } from './statistics.ts';
import { isReady, Watched, whyNotReady } from './watched.ts';

export interface BurstOptions {
  /** A folder of our own, on the disk that is measured. */
  folder: string;
  sizes: readonly number[];
  hosts: number;
  /** Measured repetitions of each size, behind one that warms up. */
  repetitions: number;
  /** Warm TLS connections, for the burst and for its floor. */
  connections: number;
  now: number;
  say: (line: string) => void;
}

/** Milliseconds, unless said otherwise. */
export interface BurstResult {
  instances: number;
  repetitions: number;
  hosts: number;
  connections: number;
  /** From the first POST until the last instance was seen Ready. */
  ready: Spread;
  /** From the first POST until the last was answered. */
  answered: Spread;
  /** Of single instances, from the first POST of the burst until seen Ready: medians over the repetitions. */
  readyHalf: number;
  floor: { total: Spread; posts: Spread; records: Spread; roundTrips: Spread };
  /** Median of ready by median of the floor. */
  ratio: number;
  /** From the first DELETE until the last instance was gone. */
  gone: Spread;
  perCreate: PerCreate;
}

/** Our own amplification: medians per instance created. */
export interface PerCreate {
  records: number;
  bytes: number;
  batches: number;
  transactions: number;
  messagesToAgents: number;
  messagesFromAgents: number;
  serverCpuMs: number;
  agentCpuMs: number;
}

/** Bursts of creates, each beside its floor. */
export async function measureBursts(options: BurstOptions): Promise<BurstResult[]> {
  const { folder, hosts, connections, now, say } = options;
  say(`starting a server and ${hosts} simulated hosts`);
  const floor = await startFloor(join(folder, 'floor'), connections, (i) => instance(`floor-${i}`), now);
  const plumb = await startPlumb({ folder, hosts, connections });
  try {
    const results: BurstResult[] = [];
    for (const size of options.sizes) {
      const runs: Run[] = [];
      for (let i = 0; i <= options.repetitions; i++) {
        const run = { floor: await floor.measure(size), ...(await burst(plumb, size, `b${size}-${i}`)) };
        const warm = i === 0 ? ' (warms up, does not count)' : '';
        say(`${size} instances: ready after ${ms(run.ready)}, floor ${ms(run.floor.total)}${warm}`);
        if (i > 0) runs.push(run);
      }
      results.push(summary(size, runs, options));
    }
    return results;
  } catch (error) {
    say(plumb.said());
    throw error;
  } finally {
    await plumb.close();
    await floor.close();
  }
}

interface BurstRun {
  ready: number;
  answered: number;
  readyHalf: number;
  gone: number;
  perCreate: PerCreate;
}

type Run = BurstRun & { floor: FloorTimes };

async function burst(plumb: Plumb, size: number, prefix: string): Promise<BurstRun> {
  const names = Array.from({ length: size }, (_, i) => `${prefix}-${i}`);
  const { client } = plumb;
  const watched = await Watched.open(client, INSTANCES);
  try {
    const before = { server: await plumb.scrape(), agentCpu: plumb.agentCpuSeconds() };
    const readyAt = new Map<string, number>();
    const started = performance.now();
    const allReady = watched.until(
      () => {
        for (const [name, object] of watched.objects) {
          if (!readyAt.has(name) && isReady(object)) readyAt.set(name, performance.now() - started);
        }
        return readyAt.size === size;
      },
      () => whyNotReady(watched.objects.values()),
    );
    const posts = Promise.all(names.map((name) => client.expect(201, 'POST', INSTANCES, instance(name))));
    const answered = posts.then(() => performance.now() - started);
    await Promise.all([allReady, answered]);
    const after = { server: await plumb.scrape(), agentCpu: plumb.agentCpuSeconds() };

    const deleting = performance.now();
    await Promise.all(names.map((name) => client.expect(200, 'DELETE', `${INSTANCES}/${name}`)));
    await watched.until(
      () => watched.objects.size === 0,
      () => `${watched.objects.size} instances are not gone`,
    );
    const times = [...readyAt.values()];
    return {
      ready: Math.max(...times),
      answered: await answered,
      readyHalf: quantile(times, 0.5),
      gone: performance.now() - deleting,
      perCreate: perCreate(size, before.server, after.server, after.agentCpu - before.agentCpu),
    };
  } finally {
    watched.close();
  }
}

function perCreate(size: number, before: Scrape, after: Scrape, agentCpuSeconds: number): PerCreate {
  const grew = (name: string) => {
    const by = growth(before, after, name);
    if (by === undefined) throw new Error(`the server does not report ${name}`);
    return by / size;
  };
  return {
    records: grew('plumb_store_records_total'),
    bytes: grew('plumb_store_bytes_total'),
    batches: grew('plumb_store_batches_total'),
    transactions: grew('plumb_store_transactions_total'),
    messagesToAgents: grew('plumb_fleet_messages_total{direction="sent"}'),
    messagesFromAgents: grew('plumb_fleet_messages_total{direction="received"}'),
    serverCpuMs: grew('process_cpu_seconds_total') * 1000,
    agentCpuMs: (agentCpuSeconds / size) * 1000,
  };
}

function summary(size: number, runs: Run[], { hosts, connections, repetitions }: BurstOptions): BurstResult {
  const over = (pick: (run: Run) => number) => spread(runs.map(pick));
  const ready = over((run) => run.ready);
  const floor = {
    total: over((run) => run.floor.total),
    posts: over((run) => run.floor.posts),
    records: over((run) => run.floor.records),
    roundTrips: over((run) => run.floor.roundTrips),
  };
  const keys = Object.keys(runs[0]!.perCreate) as (keyof PerCreate)[];
  return {
    instances: size,
    ...{ repetitions, hosts, connections },
    ready,
    answered: over((run) => run.answered),
    readyHalf: over((run) => run.readyHalf).median,
    floor,
    ratio: ready.median / floor.total.median,
    gone: over((run) => run.gone),
    perCreate: Object.fromEntries(
      keys.map((key) => [key, over((run) => run.perCreate[key]).median]),
    ) as unknown as PerCreate,
  };
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
