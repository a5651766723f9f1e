/** A fleet server behind real TLS on loopback, and agents with simulated hosts, in this process. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { seededRandom } from '@plumb/agent/drivers/simulated/seeded-random.ts';
import { SimulatedHost, type SimulatedHostOptions } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { type AgentOptions, type RunningAgent, runAgent } from '@plumb/agent/main.ts';
import { FleetServer, type FleetServerOptions } from '@plumb/reconciler/fleet/fleet-server.ts';
import { nextTerm } from '@plumb/reconciler/fleet/term.ts';
import { openPki, type Pki } from '@plumb/reconciler/pki/open.ts';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { MemoryStore } from '@plumb/reconciler/store/memory.ts';
import { type Ambient, type HostResource, realAmbient } from '@plumb/schemas';

export interface Plane {
  fleet: FleetServer;
  store: MemoryStore;
  pki: Pki;
  url: string;
  log: string[];
  /** Makes the Host object, or as much of one as the fleet looks at. */
  declare(host: string): Promise<unknown>;
  /** Lets the host in with the credential. */
  admit(host: string, credential: string): Promise<unknown>;
  /** Cuts every connection, as a broken network does. */
  cut(): void;
  close(): Promise<void>;
}

/** What a test started; {@link Stage.close} ends all of it. */
export class Stage {
  readonly folder: string;
  readonly #ends: (() => Promise<void>)[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'plumb-fleet-')));
  }

  async close(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
    await rm(this.folder, { recursive: true });
  }

  /** Ends when the stage does, unless it was ended before. */
  onClose(end: () => Promise<void>): () => Promise<void> {
    let ended: Promise<void> | undefined;
    const once = () => {
      ended ??= end();
      return ended;
    };
    this.#ends.push(once);
    return once;
  }

  /** `name`: of its data folder; the same name and store is the same control plane, started again. */
  async plane(
    options: Partial<FleetServerOptions> & { name?: string; port?: number; store?: MemoryStore } = {},
  ): Promise<Plane> {
    const { name = 'server', port = 0, ambient = realAmbient() } = options;
    const store = options.store ?? new MemoryStore();
    const pki = await openPki({ dataDir: join(this.folder, name), store, ambient, host: '127.0.0.1' });
    const log: string[] = [];
    const fleet = new FleetServer({
      term: await nextTerm(store, ambient),
      mayJoin: (presented) => pki.mayJoin(presented),
      log: (level, message) => log.push(`${level} ${message}`),
      ...options,
      store,
      ambient,
    });
    const sockets = new Set<Socket>();
    const server = createServer({ ...pki.tls.forAgents(), ALPNProtocols: ['h2'] }, (socket) =>
      fleet.attachConnection(socket, {
        address: socket.remoteAddress ?? '',
        identified() {},
        refused() {},
        use: () => () => {},
      }),
    );
    pki.tls.onRenewed(() => server.setSecureContext(pki.tls.forAgents()));
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.on('tlsClientError', () => {});
    await listen(server, port);
    const cut = () => {
      for (const socket of sockets) socket.destroy();
    };
    const close = this.onClose(async () => {
      fleet.close();
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
      pki.close();
    });
    const put = (key: string, value: string) => store.commit({ preconditions: [], ops: [{ type: 'put', key, value }] });
    const declare = (host: string) => put(keys.object('hosts', undefined, host), '{}');
    const admit = (host: string, credential: string) => {
      const sha256 = createHash('sha256').update(credential).digest('hex');
      return put(keys.credential(host), JSON.stringify({ sha256 }));
    };
    return {
      fleet,
      store,
      pki,
      log,
      declare,
      admit,
      cut,
      close,
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
  }

  simulated(options: Partial<SimulatedHostOptions> = {}): SimulatedHost {
    return new SimulatedHost({
      clock: realAmbient().clock,
      random: seededRandom(1),
      cpus: 4,
      memoryMiB: 4096,
      ...options,
    });
  }

  /** An agent whose hosts are named in `hosts`. */
  async agent(
    plane: Plane,
    hosts: Record<string, SimulatedHost>,
    options: Partial<AgentOptions> = {},
  ): Promise<RunningAgent & { log: string[] }> {
    const log: string[] = [];
    const agent = await runAgent({
      server: plane.url,
      tokenFile: plane.pki.joinTokenFile!,
      dataDir: join(this.folder, 'agent'),
      hosts: Object.entries(hosts).map(([name, driver]) => ({ name, driver, tunnelAddress: '127.0.0.1' })),
      ambient: hasty(),
      log: (line) => log.push(line),
      ...options,
    });
    return { ...agent, log, stop: this.onClose(() => agent.stop()) };
  }
}

/** The real surroundings, in which waiting to try again takes the least time. */
export function hasty(): Ambient {
  return { ...realAmbient(), random: { next: () => 0 } };
}

/** Resolves when `holds` does, which is asked after every change of live state. */
export function until(fleet: FleetServer, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = fleet.onChange(ask);
    function ask() {
      if (!holds()) return;
      end();
      resolve();
    }
    ask();
  });
}

/** Resolves when all of the hosts have told what lives on them. */
export function connected(fleet: FleetServer, ...hosts: string[]): Promise<void> {
  return until(fleet, () => hosts.every((host) => fleet.host(host)?.connected));
}

export function bridge(id: string, peers: string[] = []): HostResource<'bridge'> {
  return { kind: 'bridge', id, owner: id, spec: { name: id, type: 'vxlan', vni: 7, mtuBytes: 1450, peers } };
}

export function ensure(...resources: HostResource[]) {
  return resources.map((resource) => ({
    id: `make ${resource.kind}/${resource.id}`,
    verb: 'ensure' as const,
    resource,
  }));
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
