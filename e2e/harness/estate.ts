/** A private cloud of one test file: its own folder, port, libvirtd, server, agent and Terraform; gone without a trace. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { type AgentOptions, serverUrl, startAgent, startServer, tail } from '../../scripts/control-plane.ts';
import { guestImage } from '../../scripts/guest-image.ts';
import { endGuests, type Libvirtd, privateLibvirtd } from '../../scripts/libvirtd.ts';
import { endProcess, isRunning, type Started, signal } from '../../scripts/processes.ts';
import { endProvider } from '../../scripts/provider.ts';
import { Quickstart } from '../../scripts/quickstart.ts';
import { removeTraces, traces } from '../../scripts/residue.ts';
import { CACHE } from '../../scripts/setup.ts';
import { Api } from './api.ts';
import { terraform } from './machinery.ts';

export const HOST = 'host-1';

type Program = 'server' | 'agent';

export interface EstateOptions {
  /** Shown in the name of the folder. */
  name: string;
  /** Real guests on a libvirtd of the estate's own, or a simulated host. */
  driver: 'libvirt' | 'simulated';
  /** Where the server keeps its data; in the estate's folder, if not given. */
  serverDir?: string;
  /** Further options of `plumb agent`. */
  agentOptions?: readonly string[];
  /** Bounds of the server that are not the usual ones. */
  limits?: Partial<ServerLimits>;
}

export class Estate {
  readonly folder: string;
  readonly port: number;
  readonly libvirtd: Libvirtd | undefined;
  readonly image: { path: string; sha256: string; format: 'qcow2' | 'raw' };
  serverDir: string;
  readonly #options: EstateOptions;
  readonly #running = new Map<Program, Started>();

  private constructor(
    options: EstateOptions,
    parts: { folder: string; port: number; libvirtd: Libvirtd | undefined; image: Estate['image'] },
  ) {
    this.#options = options;
    this.folder = parts.folder;
    this.port = parts.port;
    this.libvirtd = parts.libvirtd;
    this.image = parts.image;
    this.serverDir = options.serverDir ?? join(this.folder, 'server');
  }

  /** Makes the folder and starts libvirtd; server and agent are started by the test. */
  static async open(options: EstateOptions): Promise<Estate> {
    const folder = await mkdtemp(`/tmp/plumb-${options.name}-`); // Short: paths of sockets have at most 107 bytes.
    const real = options.driver === 'libvirt';
    const files = join(folder, 'agent');
    const capabilities = join(CACHE, 'libvirt');
    const libvirtd = real ? await privateLibvirtd({ folder: join(folder, 'libvirt'), capabilities, files }) : undefined;
    const image = real
      ? { ...(await guestImage(join(CACHE, 'guest'))), format: 'qcow2' as const }
      : await smallImage(folder);
    return new Estate(options, { folder, port: await freePort(), libvirtd, image });
  }

  get kubeconfig(): string {
    return join(this.serverDir, 'kubeconfig');
  }

  get agentDir(): string {
    return join(this.folder, 'agent');
  }

  get api(): Api {
    return new Api(this.kubeconfig);
  }

  async startServer(): Promise<void> {
    await mkdir(this.serverDir, { recursive: true, mode: 0o700 });
    const more = await this.#limits();
    const started = await startServer({ dataDir: this.serverDir, port: this.port, log: this.log('server'), more });
    this.#running.set('server', started);
  }

  async #limits(): Promise<string[]> {
    const { limits } = this.#options;
    if (!limits) return [];
    const file = join(this.folder, 'limits.json');
    await writeFile(file, JSON.stringify({ server: limits }));
    return ['--limits', file];
  }

  startAgent(): void {
    const options: AgentOptions = {
      server: serverUrl(this.port),
      tokenFile: join(this.serverDir, 'join-token'),
      dataDir: this.agentDir,
      host: HOST,
      log: this.log('agent'),
      libvirtSocket: this.libvirtd?.socket,
      imageFolders: [dirname(this.image.path)],
      more: this.#options.agentOptions ?? [],
    };
    this.#running.set('agent', startAgent(options));
  }

  async start(): Promise<void> {
    await this.startServer();
    this.startAgent();
  }

  /** As `kill -9` does. Resolves when it is gone. */
  async kill(program: Program): Promise<void> {
    const started = this.#must(program);
    signal(started, 'SIGKILL');
    await started.exit;
    this.#running.delete(program);
  }

  /** Asks it to end. Resolves when it is gone. */
  async stop(program: Program): Promise<void> {
    await endProcess(this.#must(program));
    this.#running.delete(program);
  }

  /** Terraform on a copy of the quickstart, in a folder of its own by that name; initialised. */
  async quickstart(name = 'quickstart'): Promise<Quickstart> {
    if (!terraform) throw new Error('neither terraform nor tofu is there');
    const folder = join(this.folder, name);
    const { kubeconfig, image } = this;
    const quickstart = new Quickstart({
      folder,
      terraform: terraform.path,
      kubeconfig,
      image,
      host: HOST,
      runtimeDir: this.folder,
    });
    await quickstart.prepare();
    await quickstart.init();
    return quickstart;
  }

  /** What the agent has on the machine now; empty when nothing is declared. */
  traces(): Promise<string[]> {
    if (!this.libvirtd) throw new Error('a simulated host leaves no traces');
    return traces({ agentDir: this.agentDir, host: HOST, virshUri: this.libvirtd.virshUri });
  }

  log(program: Program): string {
    return join(this.folder, `${program}.log`);
  }

  /** The ends of all logs: what a failing test shows. */
  async logs(): Promise<string> {
    const parts = (['server', 'agent'] as const).map(async (program) => {
      const running = this.#running.get(program);
      const now = running && isRunning(running) ? 'runs' : 'does not run';
      return `--- ${program} (${now}), the end of its log:\n${await tail(this.log(program), 40)}`;
    });
    return (await Promise.all(parts)).join('\n');
  }

  /** Ends everything and removes everything, also what a failed test left. Logs are kept when `failed`. */
  async close(failed = false): Promise<void> {
    for (const program of ['agent', 'server'] as const) {
      const started = this.#running.get(program);
      if (started) await endProcess(started);
    }
    await endProvider(this.folder);
    if (this.libvirtd) {
      await this.libvirtd.stop();
      await endGuests(join(this.folder, 'libvirt'));
      await removeTraces({ agentDir: this.agentDir, host: HOST });
    }
    if (failed) await keepLogs(this.folder, this.#options.name);
    await rm(this.folder, { recursive: true, force: true });
  }

  #must(program: Program): Started {
    const started = this.#running.get(program);
    if (!started) throw new Error(`the ${program} of this estate does not run`);
    return started;
  }
}

/** A port of loopback that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function smallImage(folder: string): Promise<Estate['image']> {
  const path = join(folder, 'images/small.img');
  await mkdir(dirname(path), { mode: 0o755 });
  const content = 'What a simulated host starts from.\n';
  await writeFile(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex'), format: 'raw' };
}

async function keepLogs(folder: string, name: string): Promise<void> {
  const kept = join(CACHE, 'test', name);
  await mkdir(kept, { recursive: true });
  for (const file of await readdir(folder))
    if (file.endsWith('.log')) await copyFile(join(folder, file), join(kept, file));
}
