import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { HttpsClient } from '../http/client.ts';
import { scanDrift } from '../http/drift-scan.ts';
import { allReady } from '../http/followed.ts';
import { ROOT } from '../machine.ts';
import { type Child, runChild, startChild } from './child.ts';
import { type Around, declareNetwork, GROUP, PROJECT, type Server, startServer } from './plumb.ts';

const ESTATE = join('bench', 'src', 'estate');

/** What instances that are created in an estate refer to. */
export const ESTATE_AROUND: Around = { zone: 'home', image: 'debian-13' };

export interface EstateSize {
  hosts: number;
  instances: number;
  /** Whether one security group selects all instances. */
  grouped?: boolean;
}

/** Fills a server's data folder, by a process of its own: what it needs in memory is gone when the measurement begins. */
export async function fillDataDir(
  dataDir: string,
  { hosts, instances, grouped }: EstateSize,
  tree = ROOT,
): Promise<void> {
  const marks = grouped ? ['grouped'] : [];
  await runChild(join(tree, ESTATE, 'main.ts'), [dataDir, `${hosts}`, `${instances}`, ...marks]);
}

/** Starts the process that plays the hosts of the estate; resolves when the first stream is there. */
export function startEstateAgent(server: Server, folder: string, size: EstateSize, streams: number): Promise<Child> {
  const { url } = server.access;
  const joining = ['--server', url, '--token-file', join(server.dataDir, 'join-token'), '--data-dir', folder];
  const numbers = ['--hosts', `${size.hosts}`, '--instances', `${size.instances}`, '--streams', `${streams}`];
  if (size.grouped) numbers.push('--grouped');
  return startChild(join(server.tree, ESTATE, 'agent.ts'), [...joining, ...numbers], /\bconnected to\b/);
}

/** A server with a filled store, and everything that it holds alive on simulated hosts. */
export interface RunningEstate {
  readonly server: Server;
  readonly agent: Child;
  readonly client: HttpsClient;
  readonly around: Around;
  /** Milliseconds from the start of the server's process until it was ready. */
  readonly startMs: number;
  /** Milliseconds from the start of the agent's process until all hosts were attached and nothing was left to do. */
  readonly attachMs: number;
  close(): Promise<void>;
}

export interface RunEstateOptions extends EstateSize {
  /** An empty folder. */
  folder: string;
  streams: number;
  /** Of the client, at most. */
  connections?: number;
  profiled?: boolean;
  /** Root of the sources; those that this file belongs to, if absent. */
  tree?: string;
}

export async function runEstate(options: RunEstateOptions): Promise<RunningEstate> {
  const { folder, streams, connections = 1, profiled, tree } = options;
  const dataDir = join(folder, 'server');
  await fillDataDir(dataDir, options, tree);
  await using started = new AsyncDisposableStack();
  const beginning = performance.now();
  const server = await startServer({ dataDir, profiled, tree });
  const startMs = performance.now() - beginning;
  started.defer(() => server.close());
  const attaching = performance.now();
  const agent = await startEstateAgent(server, join(folder, 'agent'), options, streams);
  started.defer(() => agent.end());
  await settled(server, options);
  const attachMs = performance.now() - attaching;
  const client = new HttpsClient(server.access, connections);
  started.defer(() => client.close());
  const running = started.move();
  return { server, agent, client, around: ESTATE_AROUND, startMs, attachMs, close: () => running.disposeAsync() };
}

/** Declares the networks `lab` in an estate, for instances that are created in it. */
export async function addNetwork(client: HttpsClient): Promise<void> {
  await declareNetwork(client, { zone: 'home', type: 'flat', physicalInterface: 'bond0.4000' });
  await allReady(client, `${GROUP}/l2networks`, 1);
  await allReady(client, `${PROJECT}/l3networks`, 1);
}

/** How often the server is asked whether it has come to rest: often enough for seconds, too rarely to count. */
const ASK_MS = 250;

/**
 * Waits until no controller has anything to do, all hosts are attached, and everything that lives on them has been told and
 * found to be as declared. Rejects after `patienceMs`.
 */
export async function settled(server: Server, { hosts, instances }: EstateSize, patienceMs = 300_000): Promise<void> {
  const client = new HttpsClient(server.access, 1);
  const until = performance.now() + patienceMs;
  try {
    for (;;) {
      const scrape = await server.scrape();
      const attached = scrape.get('plumb_fleet_hosts') ?? 0;
      const waiting = (scrape.get('plumb_queue_depth') ?? 0) + (scrape.get('plumb_queue_in_flight') ?? 0);
      const same = attached >= hosts && waiting === 0 ? (await scanDrift(client, 'digests')).counts.same : 0;
      if (same >= instances) return;
      if (performance.now() > until)
        throw new Error(
          `after ${patienceMs / 1000} s ${attached} of ${hosts} hosts are attached, ${waiting} keys are worked on, ` +
            `${same} of ${instances} instances are as declared`,
        );
      await wait(ASK_MS);
    }
  } finally {
    client.close();
  }
}
