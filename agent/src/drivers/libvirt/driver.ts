import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Clock, LiveThing, Thing, ThingKind } from '@plumb/schemas';
import { PlumbError, realAmbient, thingKey } from '@plumb/schemas';
import type { Run } from '../../host/command.ts';
import { run, runInNetwork } from '../../host/command.ts';
import { Locks } from '../../host/locks.ts';
import { driverKey } from '../../network/names.ts';
import { Network } from '../../network/network.ts';
import { watchLinks } from '../../network/watch.ts';
import { Disks } from '../../storage/disks.ts';
import { Images } from '../../storage/images.ts';
import { Seeds } from '../../storage/seeds.ts';
import { dependenciesOf, requireDependencies, requireUnused } from '../dependencies.ts';
import type { Driver, DriverChange, DriverFacts } from '../driver.ts';
import { prepareDataDir } from './data-dir.ts';
import type { Machine } from './domain/accelerator.ts';
import { chooseMachine, readCpuInfo } from './domain/accelerator.ts';
import type { DomainSurroundings } from './domain/definition.ts';
import { Domains } from './domain/domains.ts';
import { DomainTrace } from './domain/trace.ts';
import { Ledger } from './ledger.ts';
import { LibvirtLink } from './rpc/link.ts';
import { findSocket } from './socket.ts';

export interface LibvirtDriverOptions {
  /** Libvirt's socket; the system's own, if absent. */
  socket?: string;
  /** Everything that the driver keeps; made if it is not there. QEMU's user must be able to pass its parents. */
  dataDir: string;
  /** Address of this host to which the others send VXLAN. */
  tunnelAddress: string;
  /** Name of the host; with the data folder it tells this driver's things from another's on the same machine. */
  host: string;
  log: (line: string) => void;
  clock?: Clock;
  /** How long a guest may take to power off when it is asked to; 30,000 if absent. */
  shutdownGraceMs?: number;
  /** How often the whole host is looked at for what no event tells; 30,000 if absent. */
  observeEveryMs?: number;
  /** Path of the network namespace in which bridges and taps are; that of this process, if absent. */
  networkNamespace?: string;
}

const NETWORK_KINDS: readonly ThingKind[] = ['bridge', 'subnet', 'port'];
const STORAGE_KINDS: readonly ThingKind[] = ['image', 'disk', 'seed'];
/** Interfaces change in bursts. */
const SETTLE_MS = 200;

/** The driver of a real host: QEMU through libvirt's socket, qcow2 files, the kernel's bridges and packet filter. */
export async function openLibvirtDriver(options: LibvirtDriverOptions): Promise<Driver> {
  const driver = new LibvirtDriver({ ...options, dataDir: await prepareDataDir(options.dataDir) });
  try {
    await driver.open();
    return driver;
  } catch (thrown) {
    await driver.close();
    throw thrown;
  }
}

class LibvirtDriver implements Driver {
  readonly name = 'libvirt';
  readonly #options: LibvirtDriverOptions;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #run: Run;
  readonly #ledger = new Ledger();
  readonly #locks = new Locks();
  readonly #trace: DomainTrace;
  readonly #images: Images;
  readonly #disks: Disks;
  readonly #seeds: Seeds;
  readonly #network: Network;
  #link: LibvirtLink | undefined;
  #domains!: Domains;
  #machine!: Machine;
  #stopWatching = () => {};
  #stopSettling = () => {};
  #stopTimer = () => {};
  #settling = false;
  #closed = false;

  constructor(options: LibvirtDriverOptions) {
    const { dataDir, host, tunnelAddress, networkNamespace } = options;
    this.#options = options;
    this.#clock = options.clock ?? realAmbient().clock;
    this.#key = driverKey(dataDir, host);
    this.#run = networkNamespace === undefined ? run : runInNetwork(networkNamespace);
    this.#trace = new DomainTrace(dataDir);
    this.#images = new Images(dataDir);
    this.#disks = new Disks({
      dataDir,
      run,
      images: this.#images,
      growLive: (disk, path, bytes) => this.#domains.growDisk(disk.owner, path, bytes),
    });
    this.#seeds = new Seeds(dataDir, run);
    this.#network = new Network({
      dataDir,
      runDir: join('/run/plumb', this.#key),
      key: this.#key,
      tunnelAddress,
      run: this.#run,
      clock: this.#clock,
    });
  }

  async open(): Promise<void> {
    const { log, shutdownGraceMs = 30_000, networkNamespace } = this.#options;
    await Promise.all([this.#images.open(), this.#disks.open(), this.#seeds.open(), this.#network.open()]);
    this.#link = await LibvirtLink.open({
      socket: this.#options.socket ?? (await findSocket()),
      clock: this.#clock,
      log,
      listener: {
        lifecycle: ({ uuid }) => this.#heard(uuid),
        restored: () => this.#ledger.tell({ type: 'lost' }),
      },
    });
    const libvirt = this.#link.procedures;
    this.#machine = chooseMachine(await libvirt.capabilities(), await readCpuInfo());
    this.#domains = new Domains({
      libvirt,
      key: this.#key,
      trace: this.#trace,
      clock: this.#clock,
      cutOff: (ports) => this.#network.cutOff(ports),
      shutdownGraceMs,
    });
    await this.#surveyAll();
    this.#stopWatching = watchLinks({
      ...(networkNamespace === undefined ? {} : { networkNamespace }),
      clock: this.#clock,
      changed: (name) => this.#interfaceChanged(name),
      missed: () => this.#interfacesChanged(),
    });
    this.#observeLater();
  }

  async facts(): Promise<DriverFacts> {
    return { cpus: availableParallelism(), memoryMiB: Math.floor(totalmem() / 1024 ** 2) };
  }

  async observe(): Promise<LiveThing[]> {
    await this.#surveyAll();
    return this.#ledger.list();
  }

  ensure(thing: Thing): Promise<void> {
    const shared = dependenciesOf(thing).map(thingKey);
    return this.#work(thing, shared, async () => {
      requireDependencies(thing, (ref) => this.#ledger.get(ref) !== undefined);
      this.#ledger.put(await this.#make(thing));
    });
  }

  remove(thing: { kind: ThingKind; id: string; owner: string }): Promise<void> {
    if (thing.kind === 'image') this.#images.abort(thing.id);
    return this.#work(thing, [], async () => {
      requireUnused(thing, this.#ledger.list());
      await this.#unmake(thing);
      this.#ledger.drop(thing);
    });
  }

  onChange(listener: (change: DriverChange) => void): () => void {
    return this.#ledger.listen(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of [this.#stopWatching, this.#stopSettling, this.#stopTimer]) stop();
    this.#images.abortAll();
    this.#link?.close();
  }

  /** Has the thing to itself, and what it refers to stay as it is. After a failure, looks at what came of it. */
  async #work(ref: { kind: ThingKind; id: string }, shared: string[], work: () => Promise<void>): Promise<void> {
    await this.#locks.hold({ exclusive: [thingKey(ref)], shared }, async () => {
      try {
        await this.#ledger.during(ref, work);
      } catch (thrown) {
        await this.#surveyOf(ref.kind).catch(() => {}); // The failure itself is what is told.
        throw PlumbError.from(thrown, thingKey(ref));
      }
    });
  }

  async #make(thing: Thing): Promise<LiveThing> {
    switch (thing.kind) {
      case 'image':
        return this.#images.ensure(thing);
      case 'bridge':
        return this.#network.ensureBridge(thing);
      case 'subnet':
        return this.#network.ensureSubnet(thing);
      case 'disk':
        return this.#disks.ensure(thing);
      case 'seed':
        return this.#seeds.ensure(thing);
      case 'port':
        return this.#network.ensurePort(thing);
      case 'domain':
        return this.#domains.ensure(thing, this.#surroundings(thing));
    }
  }

  async #unmake({ kind, id }: { kind: ThingKind; id: string }): Promise<void> {
    switch (kind) {
      case 'image':
        return this.#images.remove(id);
      case 'bridge':
        return this.#network.removeBridge(id);
      case 'subnet':
        return this.#network.removeSubnet(id);
      case 'disk':
        return this.#disks.remove(id);
      case 'seed':
        return this.#seeds.remove(id);
      case 'port':
        return this.#network.removePort(id);
      case 'domain':
        return this.#domains.remove(id);
    }
  }

  #surroundings({ id, spec }: Thing<'domain'>): DomainSurroundings {
    const disks = spec.disks.map((disk) =>
      this.#disks.chain(this.#ledger.get({ kind: 'disk', id: disk }) as Thing<'disk'>),
    );
    return {
      ...this.#machine,
      key: this.#key,
      disks,
      ...(spec.seed === undefined ? {} : { seedPath: this.#seeds.path(spec.seed) }),
      taps: spec.ports.map((port) => this.#network.names.tap(port.id)),
      consoleLog: this.#trace.consoleLog(id),
    };
  }

  /** An event may come while the domain is worked on: it waits for its turn, so that the last look is the newest. */
  #heard(uuid: string): void {
    this.#domains?.heard(uuid);
    const ref = { kind: 'domain', id: uuid } as const;
    this.#inBackground(`looking at domain ${uuid}`, () =>
      this.#locks.hold({ exclusive: [thingKey(ref)] }, async () => {
        const found = await this.#domains.observeOne(uuid);
        if (found === undefined) this.#ledger.drop(ref);
        else this.#ledger.note(found);
      }),
    );
  }

  #interfaceChanged(name: string): void {
    if (this.#settling || !this.#network.watches(name)) return;
    this.#settling = true;
    this.#stopSettling = this.#clock.after(SETTLE_MS, () => {
      this.#settling = false;
      this.#interfacesChanged();
    });
  }

  /** A tap that went is missed by its port and by its domain. */
  #interfacesChanged(): void {
    this.#inBackground('looking at the network', async () => {
      await Promise.all([this.#surveyNetwork(), this.#surveyDomains()]);
    });
  }

  #observeLater(): void {
    const { observeEveryMs = 30_000 } = this.#options;
    this.#stopTimer = this.#clock.after(observeEveryMs, () => {
      this.#inBackground('looking at the host', async () => {
        await this.#surveyAll().finally(() => this.#closed || this.#observeLater());
      });
    });
  }

  #inBackground(what: string, work: () => Promise<void>): void {
    if (this.#closed) return;
    work().catch((thrown) => {
      if (!this.#closed) this.#options.log(`${what} failed: ${PlumbError.from(thrown, what).message}`);
    });
  }

  async #surveyAll(): Promise<void> {
    await Promise.all([this.#surveyStorage(), this.#surveyNetwork(), this.#surveyDomains()]);
  }

  #surveyOf(kind: ThingKind): Promise<void> {
    if (kind === 'domain') return this.#surveyDomains();
    return NETWORK_KINDS.includes(kind) ? this.#surveyNetwork() : this.#surveyStorage();
  }

  #surveyStorage(): Promise<void> {
    return this.#ledger.survey(STORAGE_KINDS, async () =>
      (await Promise.all([this.#images.observe(), this.#disks.observe(), this.#seeds.observe()])).flat(),
    );
  }

  #surveyNetwork(): Promise<void> {
    return this.#ledger.survey(NETWORK_KINDS, () => this.#network.observe());
  }

  #surveyDomains(): Promise<void> {
    return this.#ledger.survey(['domain'], () => this.#domains.observe());
  }
}
