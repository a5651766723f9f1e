import { join } from 'node:path';
import { findAccess } from '@plumb/client/access.ts';
import { type Access, HttpsClient } from '../http/client.ts';
import { allReady } from '../http/followed.ts';
import { parseScrape, type Scrape } from '../http/scrape.ts';
import { ROOT } from '../machine.ts';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { INSPECTOR_LINE, Profiler } from './profiler.ts';

const BIN = join('bin', 'plumb.ts');
export const GROUP = '/apis/plumb.dev/v1';
export const PROJECT = `${GROUP}/namespaces/default`;
export const INSTANCES = `${PROJECT}/instances`;

/** `plumb server`, as anybody starts it. */
export interface Server {
  readonly child: Child;
  readonly access: Access;
  readonly dataDir: string;
  /** Root of the sources that it and its agents run from. */
  readonly tree: string;
  scrape(): Promise<Scrape>;
  /** Only of a server that was started to be profiled. */
  readonly profiler: Profiler | undefined;
  close(): Promise<void>;
}

export interface ServerOptions {
  dataDir: string;
  /** Address and port; any free port of 127.0.0.1, if absent. */
  listen?: string;
  /** Lets Node's inspector in: for explanations, not for what counts. */
  profiled?: boolean;
  /** Resolves when it answers and still loads; when everything is loaded, if absent. */
  loading?: boolean;
  /** Root of its sources; those that this file belongs to, if absent. */
  tree?: string;
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const { dataDir, listen, profiled, loading, tree = ROOT } = options;
  const args = ['server', '--data-dir', dataDir, '--listen', listen ?? `127.0.0.1:${await freePort()}`];
  const said = loading ? /\banswers at\b/ : /\bis ready\b/;
  const child = await startChild(join(tree, BIN), args, said, profiled ? ['--inspect=127.0.0.1:0'] : []);
  try {
    const access = await accessOf(join(dataDir, 'kubeconfig'));
    const inspector = profiled ? INSPECTOR_LINE.exec(child.said())?.[1] : undefined;
    const profiler = inspector ? await Profiler.connect(inspector) : undefined;
    const client = new HttpsClient(access, 1);
    return {
      ...{ child, access, dataDir, profiler, tree },
      scrape: async () => parseScrape(await client.expect(200, 'GET', '/metrics')),
      async close() {
        client.close();
        profiler?.close();
        await child.end();
      },
    };
  } catch (error) {
    await child.end();
    throw error;
  }
}

export interface AgentOptions {
  /** Where its hosts keep their credentials. */
  dataDir: string;
  hosts: number;
  /** Connections that the hosts share; 1, if absent. */
  streams?: number;
  /** More for the command line. */
  args?: readonly string[];
}

/** `plumb agent` for simulated hosts `sim-1`… in the zone `bench`; resolves when the first of them is attached. */
export function startAgent(server: Server, { dataDir, hosts, streams = 1, args = [] }: AgentOptions): Promise<Child> {
  const { url } = server.access;
  const joining = ['--server', url, '--token-file', join(server.dataDir, 'join-token'), '--data-dir', dataDir];
  const simulated = ['--driver', 'simulated', '--hosts', `${hosts}`, '--prefix', 'sim', '--streams', `${streams}`];
  const all = ['agent', ...joining, ...simulated, '--register', 'bench', ...args];
  return startChild(join(server.tree, BIN), all, /\bconnected\b/i);
}

/** A server and an agent for simulated hosts, each a process of its own, with everything that instances need. */
export interface Plumb {
  readonly server: Server;
  readonly agent: Child;
  readonly client: HttpsClient;
  /** What server and agent printed last. */
  said(): string;
  close(): Promise<void>;
}

export interface PlumbOptions {
  /** Where its data goes: an empty folder. */
  folder: string;
  hosts: number;
  /** Of the client, at most. */
  connections: number;
  profiled?: boolean;
  /** Root of its sources; those that this file belongs to, if absent. */
  tree?: string;
  /** Spec of the L2Network that instances are put on; a network that all hosts have a leg in, if absent. */
  network?: object;
}

const FLAT = { zone: 'bench', type: 'flat', physicalInterface: 'bond0' };

/** Starts with nothing, and resolves when everything is declared and ready. */
export async function startPlumb({
  folder,
  hosts,
  connections,
  profiled,
  tree,
  network = FLAT,
}: PlumbOptions): Promise<Plumb> {
  await using started = new AsyncDisposableStack();
  const server = await startServer({ dataDir: join(folder, 'server'), profiled, tree });
  started.defer(() => server.close());
  const client = new HttpsClient(server.access, connections);
  started.defer(() => client.close());
  await declare(client, network);
  const agent = await startAgent(server, { dataDir: join(folder, 'agent'), hosts });
  started.defer(() => agent.end());
  const said = () => `server:\n${server.child.said()}\nagent:\n${agent.said()}`;
  try {
    await allReady(client, `${GROUP}/hosts`, hosts);
    for (const kind of ['zones', 'l2networks', 'images', 'instanceofferings'])
      await allReady(client, `${GROUP}/${kind}`, 1);
    await allReady(client, `${PROJECT}/l3networks`, 1);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${said()}`, { cause: error });
  }
  const running = started.move();
  return { server, agent, client, said, close: () => running.disposeAsync() };
}

/** What else there is that an instance refers to. */
export interface Around {
  zone: string;
  image: string;
  /** More of its spec. */
  spec?: object;
}

const AROUND: Around = { zone: 'bench', image: 'tiny' };

/** The body of the POST of an instance. */
export function instance(name: string, { zone, image, spec }: Around = AROUND): string {
  return JSON.stringify({
    apiVersion: 'plumb.dev/v1',
    kind: 'Instance',
    metadata: { name, namespace: 'default', labels: { made: 'by-the-benchmark' } },
    spec: {
      zone,
      offering: 'small',
      image,
      interfaces: [{ name: 'eth0', l3Network: 'lab' }],
      power: 'Running',
      ...spec,
    },
  });
}

async function declare(client: HttpsClient, network: object): Promise<void> {
  await post(client, `${GROUP}/zones`, 'Zone', 'bench', {});
  await declareNetwork(client, network);
  // Simulated hosts believe a URL that is no file of this machine.
  const image = { url: 'https://images.invalid/tiny.qcow2', sha256: '0123456789abcdef'.repeat(4), format: 'qcow2' };
  await post(client, `${GROUP}/images`, 'Image', 'tiny', image);
  await post(client, `${GROUP}/instanceofferings`, 'InstanceOffering', 'small', { cpus: 1, memoryMiB: 128 });
}

/** The networks `lab` that instances are put on. `network`: spec of the L2Network. */
export async function declareNetwork(client: HttpsClient, network: object): Promise<void> {
  await post(client, `${GROUP}/l2networks`, 'L2Network', 'lab', network);
  const range = { start: '172.16.1.0', end: '172.16.255.200' };
  await post(client, `${PROJECT}/l3networks`, 'L3Network', 'lab', {
    l2Network: 'lab',
    ipv4: { cidr: '172.16.0.0/16', gateway: '172.16.0.1', ranges: [range] },
  });
}

async function post(client: HttpsClient, path: string, kind: string, name: string, spec: object): Promise<void> {
  const object = { apiVersion: 'plumb.dev/v1', kind, metadata: { name }, spec };
  await client.expect(201, 'POST', path, JSON.stringify(object));
}

async function accessOf(kubeconfig: string): Promise<Access> {
  const { endpoints, ca = '', token = '' } = await findAccess(kubeconfig, {});
  return { url: endpoints[0]!, authority: ca, token };
}
