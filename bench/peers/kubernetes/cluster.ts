import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/processes/free-port.ts';
import { PeerClient } from '../client.ts';
import { type Program, startProgram, waitUntil } from '../program.ts';
import type { KubernetesPrograms } from './build.ts';
import { NODES, node, PODS } from './objects.ts';
import { type Ports, writeSettings } from './settings.ts';

/** A control plane of Kubernetes with fake nodes, each of its programs a process. */
export interface Cluster {
  client: PeerClient;
  programs: Program[];
  /** etcd's own counts. */
  scrapeEtcd(): Promise<string>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  /** Where its data goes: a folder that is not there yet, on the disk that is measured. */
  folder: string;
  programs: KubernetesPrograms;
  nodes: number;
  connections: number;
  now: number;
}

const WRITERS = 32;

/** Resolves when all nodes are ready and the scheduler runs. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, programs, connections } = options;
  mkdirSync(folder, { recursive: true });
  const ports: Ports = { etcd: await freePort(), etcdPeer: await freePort(), apiserver: await freePort() };
  const settings = await writeSettings(folder, ports, programs.stages, options.now);
  await using started = new AsyncDisposableStack();
  const running: Program[] = [];
  const start = (name: string, path: string, args: string[]) => {
    const program = startProgram({ name, path, args, log: join(folder, `${name}.log`), env: settings.env });
    running.push(program);
    started.defer(() => program.end());
  };
  const client = new PeerClient(settings.access, connections);
  started.defer(() => client.close());
  const scrapeEtcd = async () => (await fetch(`http://127.0.0.1:${ports.etcd}/metrics`)).text();

  start('etcd', programs.etcd, settings.etcd);
  await waitUntil('etcd answers', running, async () => (await scrapeEtcd()).length > 0);
  start('kube-apiserver', programs.apiserver, settings.apiserver);
  await waitUntil('the API server is ready', running, async () => (await client.ask('GET', '/readyz')).status === 200);
  start('kwok', programs.kwok, settings.kwok);
  start('kube-scheduler', programs.scheduler, settings.scheduler);
  await declareNodes(client, options.nodes);
  await waitUntil('all nodes are ready', running, () => nodesReady(client, options.nodes));
  await waitUntil('a pod runs', running, () => podRuns(client));
  await client.warm('/readyz');
  const all = started.move();
  return { client, programs: running, scrapeEtcd, close: () => all.disposeAsync() };
}

async function declareNodes(client: PeerClient, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `host-${i}`);
  while (names.length > 0)
    await Promise.all(names.splice(0, WRITERS).map((name) => client.json('POST', NODES, node(name))));
}

async function nodesReady(client: PeerClient, count: number): Promise<boolean> {
  const { items } = await client.json<{ items: { status: { conditions?: { type: string; status: string }[] } }[] }>(
    'GET',
    NODES,
  );
  const ready = items.filter(({ status }) => status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'));
  return ready.length === count;
}

/** One pod through all programs, so that none of them is still starting when the clock does. */
async function podRuns(client: PeerClient): Promise<boolean> {
  const path = `${PODS}/first`;
  const { status, body } = await client.ask('GET', path);
  if (status === 404) {
    const spec = { containers: [{ name: 'tiny', image: 'images.invalid/tiny' }] };
    await client.json('POST', PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'first' }, spec });
    return false;
  }
  const pod = JSON.parse(body.toString()) as { status?: { phase?: string } };
  if (pod.status?.phase !== 'Running') return false;
  await client.expect(200, 'DELETE', `${path}?gracePeriodSeconds=0`);
  return true;
}
