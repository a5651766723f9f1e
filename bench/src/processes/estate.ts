import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { HttpsClient } from '../http/client.ts';
import { allReady } from '../http/followed.ts';
import { type Child, runChild, startChild } from './child.ts';
import { type Around, declareNetwork, GROUP, PROJECT, type Server, startServer } from './plumb.ts';

const ESTATE = join(import.meta.dirname, '..', 'estate');

/** What instances that are created in an estate refer to. */
export const ESTATE_AROUND: Around = { zone: 'home', image: 'debian-13' };

export interface EstateSize {
  hosts: number;
  instances: number;
}

/** Fills a server's data folder, by a process of its own: what it needs in memory is gone when the measurement begins. */
export async function fillDataDir(dataDir: string, { hosts, instances }: EstateSize): Promise<void> {
  await runChild(join(ESTATE, 'main.ts'), [dataDir, `${hosts}`, `${instances}`]);
}

/** Starts the process that plays the hosts of the estate; resolves when the first stream is there. */
export function startEstateAgent(server: Server, folder: string, size: EstateSize, streams: number): Promise<Child> {
  const { url } = server.access;
  const joining = ['--server', url, '--token-file', join(server.dataDir, 'join-token'), '--data-dir', folder];
  const numbers = ['--hosts', `${size.hosts}`, '--instances', `${size.instances}`, '--streams', `${streams}`];
  return startChild(join(ESTATE, 'agent.ts'), [...joining, ...numbers], /\bconnected to\b/);
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
}

export async function runEstate(options: RunEstateOptions): Promise<RunningEstate> {
  const { folder, hosts, streams, connections = 1, profiled } = options;
  const dataDir = join(folder, 'server');
  await fillDataDir(dataDir, options);
  await using started = new AsyncDisposableStack();
  const beginning = performance.now();
  const server = await startServer({ dataDir, profiled });
  const startMs = performance.now() - beginning;
  started.defer(() => server.close());
  const attaching = performance.now();
  const agent = await startEstateAgent(server, join(folder, 'agent'), options, streams);
  started.defer(() => agent.end());
  await settled(server, hosts);
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
const ASK_MS = 200;

/** Waits until all hosts are attached and no controller has anything to do. Rejects after `patienceMs`. */
export async function settled(server: Server, hosts: number, patienceMs = 300_000): Promise<void> {
  const until = performance.now() + patienceMs;
  for (let quiet = 0; quiet < 3; ) {
    const scrape = await server.scrape();
    const [attached, waiting] = [scrape.get('plumb_fleet_hosts') ?? 0, busyKeys(scrape)];
    quiet = attached >= hosts && waiting === 0 ? quiet + 1 : 0;
    if (performance.now() > until)
      throw new Error(
        `after ${patienceMs / 1000} s ${attached} of ${hosts} hosts are attached, ${waiting} keys are worked on`,
      );
    await wait(ASK_MS);
  }
}

function busyKeys(scrape: ReadonlyMap<string, number>): number {
  return (scrape.get('plumb_queue_depth') ?? 0) + (scrape.get('plumb_queue_in_flight') ?? 0);
}
