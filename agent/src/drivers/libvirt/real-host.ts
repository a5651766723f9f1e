/** A real host for tests: a libvirtd of its own in a network namespace of its own, which nothing leaves. */
import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { guestImage } from '../../../../scripts/guest-image.ts';
import { endGuests, privateLibvirtd } from '../../../../scripts/libvirtd.ts';
import { inspectMachine } from '../../../../scripts/machine.ts';
import type { Run } from '../../host/command.ts';
import { run, runInNetwork } from '../../host/command.ts';
import { driverKey, Names } from '../../network/names.ts';
import { namespacePath } from '../../network/namespaces.ts';
import type { Driver } from '../driver.ts';
import type { LibvirtDriverOptions } from './driver.ts';
import { openLibvirtDriver } from './driver.ts';

const REPOSITORY = join(import.meta.dirname, '../../../..');
const CAPABILITIES = join(REPOSITORY, '.cache/libvirt');

/** Why there can be no real host on this machine; undefined if there can. In CI there must be one: throws. */
export async function whyNoRealHost(): Promise<string | undefined> {
  const machine = await inspectMachine();
  if (machine.guests) return undefined;
  if (process.env.CI) throw new Error(`In CI nothing is skipped, and there are no real guests here: ${machine.reason}`);
  return machine.reason;
}

export class RealHost {
  readonly folder: string;
  readonly dataDir: string;
  readonly names: Names;
  readonly image: { path: string; sha256: string };
  readonly #networkNamespace: string;
  readonly #wires: string[] = [];
  #hasDisk = false;
  #socket = '';
  #virshUri = '';

  /** `diskMiB`: the size of the disk that the agent's folder is on; that of the machine, if absent. */
  static async open({ diskMiB }: { diskMiB?: number } = {}): Promise<RealHost> {
    const image = await guestImage(join(REPOSITORY, '.cache/guest'));
    const folder = await mkdtemp(join(tmpdir(), 'plumb-host-'));
    const host = new RealHost(folder, image);
    await run('ip', ['netns', 'add', host.#networkNamespace]);
    try {
      await host.run('ip', ['link', 'set', 'dev', 'lo', 'up']);
      if (diskMiB !== undefined) await host.#mountDisk(diskMiB);
      await host.startLibvirtd();
      return host;
    } catch (thrown) {
      await run('ip', ['netns', 'del', host.#networkNamespace]);
      throw thrown;
    }
  }

  private constructor(folder: string, image: { path: string; sha256: string }) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.image = image;
    this.names = new Names(driverKey(this.dataDir, 'host-1'));
    this.#networkNamespace = `test-${folder.slice(-6)}`;
  }

  /** Runs a program in the host's network. */
  get run(): Run {
    return runInNetwork(namespacePath(this.#networkNamespace));
  }

  /** Runs a program in the network of a subnet. */
  runInSubnet(id: string): Run {
    return runInNetwork(namespacePath(this.names.namespace(id)));
  }

  openDriver(options: Partial<LibvirtDriverOptions> = {}): Promise<Driver> {
    return openLibvirtDriver({
      socket: this.#socket,
      dataDir: this.dataDir,
      tunnelAddress: '192.0.2.1',
      host: 'host-1',
      networkNamespace: namespacePath(this.#networkNamespace),
      log: () => {},
      limits: defaultAgentLimits,
      sources: new SourceRules({
        folders: [dirname(this.image.path)],
        sources: ['127.0.0.0/8'],
        dataDir: this.dataDir,
      }),
      ...options,
    });
  }

  /** Started by a program of its own, since a process cannot put a part of itself into another network. */
  async startLibvirtd(): Promise<void> {
    const script = join(REPOSITORY, 'scripts/libvirtd.ts');
    const timeoutMs = 90_000;
    const output = await this.run(process.execPath, [script, join(this.folder, 'libvirt'), this.dataDir], {
      timeoutMs,
    });
    [this.#socket = '', this.#virshUri = ''] = output.split('\n');
  }

  async killLibvirtd(): Promise<void> {
    const { pid } = JSON.parse(await readFile(join(this.folder, 'libvirt/libvirtd.json'), 'utf8'));
    process.kill(pid, 'SIGKILL');
  }

  virsh(...args: string[]): Promise<string> {
    return run('virsh', ['-q', '-c', this.#virshUri, ...args]);
  }

  /** The QEMU process of a domain. */
  async qemuPid(domainId: string): Promise<number> {
    const folder = join(this.folder, 'libvirt/run/qemu');
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.pid')) continue;
      const pid = Number(await readFile(join(folder, name), 'utf8'));
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (command.includes(domainId)) return pid;
    }
    throw new Error(`no QEMU runs for domain ${domainId}`);
  }

  async defineForeignDomain(name: string): Promise<void> {
    await this.virsh('define', await this.#foreignXml(name));
  }

  /** One that runs, and that libvirt forgets when it ends. */
  async createTransientDomain(name: string): Promise<void> {
    await this.virsh('create', await this.#foreignXml(name));
  }

  async #foreignXml(name: string): Promise<string> {
    const file = join(this.folder, `${name}.xml`);
    const os = "<os><type arch='x86_64'>hvm</type></os>";
    await writeFile(file, `<domain type='qemu'><name>${name}</name><memory unit='MiB'>64</memory>${os}</domain>`);
    return file;
  }

  /** Where the file of a disk lies. */
  diskOf(id: string): string {
    return join(this.dataDir, 'disks', `${id}.qcow2`);
  }

  async #mountDisk(diskMiB: number): Promise<void> {
    await mkdir(this.dataDir);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m,mode=0711`, 'tmpfs', this.dataDir]);
    this.#hasDisk = true;
  }

  /** Leaves not a byte of the disk that the agent's folder is on. */
  async fillDisk(): Promise<void> {
    const ballast = await open(join(this.dataDir, 'ballast'), 'a');
    try {
      for (const bytes of [1 << 20, 1 << 12, 1]) while (await fits(ballast, bytes));
    } finally {
      await ballast.close();
    }
  }

  async emptyDisk(): Promise<void> {
    await rm(join(this.dataDir, 'ballast'));
  }

  /** A cable: its end `name` is an interface of this host, the other one belongs to a stranger at `address`/24. */
  async addWire(name: string, address: string): Promise<void> {
    await run('ip', ['netns', 'add', this.#wire(name)]);
    this.#wires.push(name);
    await this.run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'far', 'netns', this.#wire(name)]);
    await this.#onWire(name)('ip', ['addr', 'add', `${address}/24`, 'dev', 'far']);
    await this.#onWire(name)('ip', ['link', 'set', 'dev', 'far', 'up']);
  }

  /** Whether the address answers the stranger. */
  async pingFromWire(name: string, address: string): Promise<boolean> {
    return succeeds(this.#onWire(name)('busybox', ['ping', '-c', '1', '-W', '1', address]));
  }

  /** The stranger takes the address too, and says so to everybody. */
  async claimOnWire(name: string, address: string): Promise<boolean> {
    await this.#onWire(name)('ip', ['addr', 'add', `${address}/32`, 'dev', 'far']);
    return succeeds(this.#onWire(name)('busybox', ['arping', '-q', '-A', '-c', '1', '-I', 'far', address]));
  }

  async killDhcp(subnetId: string): Promise<void> {
    const pid = Number(await readFile(join('/run/plumb', this.names.key, 'dhcp', subnetId, 'pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
  }

  /** Runs a command in a guest that gives a shell on a TCP port; resolves to what it printed, trimmed. */
  async shell(subnetId: string, address: string, port: number, command: string): Promise<string> {
    const input = `${command}\nexit\n`;
    return (await this.runInSubnet(subnetId)('busybox', ['nc', address, String(port)], { input })).trim();
  }

  /** Interfaces, namespaces, filters and files that this host's driver left, for people. */
  async traces(): Promise<string[]> {
    const links = JSON.parse(await this.run('ip', ['-j', 'link', 'show'])) as { ifname: string }[];
    const tables = JSON.parse(await this.run('nft', ['-j', 'list', 'tables'])) as { nftables: { table?: unknown }[] };
    const files = await readdir(this.dataDir, { recursive: true, withFileTypes: true });
    const namespaces = await readdir('/run/netns');
    return [
      ...links.filter(({ ifname }) => ifname !== 'lo').map(({ ifname }) => `link ${ifname}`),
      ...namespaces.filter((name) => this.names.subnetOf(name) !== undefined).map((name) => `namespace ${name}`),
      ...tables.nftables.filter(({ table }) => table !== undefined).map(() => 'filter table'),
      ...files.filter((entry) => entry.isFile()).map(({ name }) => `file ${name}`),
      ...(await readdir(join('/run/plumb', this.names.key, 'dhcp')).catch(() => [])).map((name) => `dhcp ${name}`),
    ];
  }

  /** Ends everything, also what a test that failed left behind. */
  async close(): Promise<void> {
    const libvirt = join(this.folder, 'libvirt');
    await endGuests(libvirt);
    const { dataDir: files } = this;
    await (await privateLibvirtd({ folder: libvirt, capabilities: CAPABILITIES, files })).stop();
    const dhcp = join('/run/plumb', this.names.key, 'dhcp');
    for (const subnet of await readdir(dhcp).catch(() => [])) await this.killDhcp(subnet);
    await rm(join('/run/plumb', this.names.key), { recursive: true, force: true });
    const subnets = (await readdir('/run/netns')).filter((name) => this.names.subnetOf(name) !== undefined);
    for (const name of [...subnets, ...this.#wires.map((wire) => this.#wire(wire)), this.#networkNamespace])
      await run('ip', ['netns', 'del', name]);
    if (this.#hasDisk) await run('umount', ['-l', this.dataDir]);
    await rm(this.folder, { recursive: true, force: true });
  }

  #wire(name: string): string {
    return `${this.#networkNamespace}-${name}`;
  }

  #onWire(name: string): Run {
    return runInNetwork(namespacePath(this.#wire(name)));
  }
}

async function fits(file: FileHandle, bytes: number): Promise<boolean> {
  return succeeds(file.write(Buffer.alloc(bytes)));
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
