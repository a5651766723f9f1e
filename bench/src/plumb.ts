import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Child, startChild } from './child.ts';
import { HttpsClient } from './https-client.ts';
import { ROOT } from './machine.ts';
import { parseScrape, type Scrape } from './scrape.ts';
import { isReady, Watched, whyNotReady } from './watched.ts';

const BIN = join(ROOT, 'bin', 'plumb.ts');
const GROUP = '/apis/plumb.dev/v1';
const PROJECT = `${GROUP}/namespaces/default`;
export const INSTANCES = `${PROJECT}/instances`;

/** A server and an agent for many simulated hosts, each a process of its own, with everything that instances need. */
export interface Plumb {
  client: HttpsClient;
  scrape(): Promise<Scrape>;
  /** Processor seconds that the agent's process used until now. */
  agentCpuSeconds(): number;
  /** What server and agent printed last. */
  said(): string;
  close(): Promise<void>;
}

export interface PlumbOptions {
  /** Where its data goes: a folder that is not there yet. */
  folder: string;
  hosts: number;
  connections: number;
}

export async function startPlumb({ folder, hosts, connections }: PlumbOptions): Promise<Plumb> {
  const listen = `127.0.0.1:${await freePort()}`;
  const dataDir = join(folder, 'server');
  const server = await startChild(BIN, ['server', '--data-dir', dataDir, '--listen', listen], /\bready\b/i);
  const { url, authority, token } = readKubeconfig(join(dataDir, 'kubeconfig'));
  const client = new HttpsClient(url, authority, token, connections);
  let agent: Child | undefined;
  const close = async () => {
    client.close();
    await agent?.end();
    await server.end();
  };
  try {
    await declare(client);
    const args = ['--server', url, '--token-file', join(dataDir, 'join-token'), '--data-dir', join(folder, 'agent')];
    args.push('--driver', 'simulated', '--hosts', String(hosts), '--prefix', 'sim', '--register', 'bench');
    agent = await startChild(BIN, ['agent', ...args], /\bconnected\b/i);
    await ready(client, `${GROUP}/hosts`, hosts);
    for (const kind of ['zones', 'l2networks', 'images', 'instanceofferings'])
      await ready(client, `${GROUP}/${kind}`, 1);
    await ready(client, `${PROJECT}/l3networks`, 1);
    await client.warm('/version');
  } catch (error) {
    await close();
    throw error;
  }
  const { pid, said } = agent;
  return {
    client,
    scrape: async () => parseScrape(await client.expect(200, 'GET', '/metrics')),
    agentCpuSeconds: () => cpuSeconds(pid),
    said: () => `server:\n${server.said()}\nagent:\n${said()}`,
    close,
  };
}

/** The body of the POST of an instance. */
export function instance(name: string): string {
  return JSON.stringify({
    apiVersion: 'plumb.dev/v1',
    kind: 'Instance',
    metadata: { name, namespace: 'default', labels: { made: 'by-the-benchmark' } },
    spec: {
      zone: 'bench',
      offering: 'small',
      image: 'tiny',
      interfaces: [{ name: 'eth0', l3Network: 'lab' }],
      power: 'Running',
    },
  });
}

async function declare(client: HttpsClient): Promise<void> {
  const post = (path: string, kind: string, name: string, spec: object) =>
    client.expect(201, 'POST', path, JSON.stringify({ apiVersion: 'plumb.dev/v1', kind, metadata: { name }, spec }));
  await post(`${GROUP}/zones`, 'Zone', 'bench', {});
  await post(`${GROUP}/l2networks`, 'L2Network', 'lab', { zone: 'bench', type: 'vxlan', vni: 100 });
  await post(`${PROJECT}/l3networks`, 'L3Network', 'lab', {
    l2Network: 'lab',
    ipv4: {
      cidr: '10.20.0.0/16',
      gateway: '10.20.0.1',
      ranges: [{ start: '10.20.1.0', end: '10.20.255.200' }],
    },
  });
  // Simulated hosts believe a URL that is no file of this machine.
  const sha256 = '0123456789abcdef'.repeat(4);
  await post(`${GROUP}/images`, 'Image', 'tiny', { url: 'https://images.invalid/tiny.qcow2', sha256, format: 'qcow2' });
  await post(`${GROUP}/instanceofferings`, 'InstanceOffering', 'small', { cpus: 1, memoryMiB: 128 });
}

/** Waits until the collection holds `count` objects and all are ready. */
async function ready(client: HttpsClient, path: string, count: number): Promise<void> {
  const watched = await Watched.open(client, path);
  try {
    await watched.until(
      () => watched.objects.size >= count && [...watched.objects.values()].every(isReady),
      () => `${watched.objects.size} of ${count} at ${path}; ${whyNotReady(watched.objects.values())}`,
    );
  } finally {
    watched.close();
  }
}

function readKubeconfig(file: string): { url: string; authority: string; token: string } {
  const config = parse(readFileSync(file, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { token: string } }[];
  };
  const { server, 'certificate-authority-data': authority } = config.clusters[0]!.cluster;
  return { url: server, authority: Buffer.from(authority, 'base64').toString(), token: config.users[0]!.user.token };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Of all threads, from the scheduler's own count in nanoseconds: /proc/PID/stat counts in hundredths of a second. */
function cpuSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const threads = readdirSync(`/proc/${pid}/task`);
  const used = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'latin1').split(' ')[0]));
  return used.reduce((sum, ns) => sum + ns, 0) / 1e9;
}
