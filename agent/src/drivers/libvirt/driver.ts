import { cpus, totalmem } from 'node:os';
import type { LiveThing, Thing, ThingKind } from '@plumb/schemas';
import { PlumbError, retryable, thingKey } from '@plumb/schemas';
import { Locks } from '../../host/locks.ts';
import { spaceLeft } from '../../host/space-left.ts';
import { Troubles } from '../../host/troubles.ts';
import { watchLinks } from '../../network/watch.ts';
import { dependenciesOf, isAnothersImage, requireDependencies, requireUnused } from '../dependencies.ts';
import type { Attention, Driver, DriverChange, DriverFacts } from '../driver.ts';

import { awayTrouble, bridgedTrouble, fullTrouble, hiddenTrouble, rootTrouble } from './host-troubles.ts';
import { Ledger } from './ledger.ts';
import type { LibvirtDriverOptions } from './options.ts';
import type { Parts } from './parts.ts';
import { openParts } from './parts.ts';
import type { LinkListener } from './rpc/link.ts';

export type { LibvirtDriverOptions } from './options.ts';

const NETWORK_KINDS: readonly ThingKind[] = ['bridge', 'subnet', 'port'];
const STORAGE_KINDS: readonly ThingKind[] = ['image', 'disk', 'seed'];
const OBSERVE_EVERY_MS = 30_000;
/** Nothing tells that a process ended which is not a child; looking at one costs next to nothing. */
const TEND_EVERY_MS = 2_000;
const TRY_BRIDGED_EVERY_MS = 5_000;
/** Interfaces change in bursts. */
const SETTLE_MS = 200;
/** Of most edits of a definition no event tells. */
const GLANCE_EVERY_MS = 10_000;
/** A libvirtd that is restarted is no trouble. */
const AWAY_GRACE_MS = 5_000;

/** What this machine has for instances. */
export async function machineFacts(): Promise<DriverFacts> {
  return { cpus: cpus().length, memoryMiB: Math.floor(totalmem() / 1024 ** 2) };
}

/** The driver of a real host: QEMU through libvirt's socket, qcow2 files, the kernel's bridges and packet filter. */
export async function openLibvirtDriver(options: LibvirtDriverOptions): Promise<Driver> {
  // What happens before the driver is there, its first look at everything finds.
  const listener: LinkListener = { happened: () => {}, away: () => {}, restored: () => {} };
  const ledger = new Ledger();
  const driver = new LibvirtDriver(options, await openParts(options, listener, ledger), ledger);
  listener.happened = ({ uuid, panicked }) => driver.heard(uuid, panicked);
  listener.away = (why) => driver.away(why);
  listener.restored = () => driver.lost();
  try {
    await driver.begin();
    return driver;
  } catch (thrown) {
    await driver.close();
    throw thrown;
  }
}

class LibvirtDriver implements Driver {
  readonly name = 'libvirt';
  readonly #options: LibvirtDriverOptions;
  readonly #parts: Parts;
  readonly #ledger: Ledger;
  readonly #locks = new Locks();
  readonly #troubles = new Troubles(() => this.#ledger.tell({ type: 'troubles' }));
  #stopAway = () => {};
  #stopWatching = () => {};
  #stopSettling = () => {};
  readonly #stopRepeating = new Map<string, () => void>();
  #settling = false;
  #closed = false;

  constructor(options: LibvirtDriverOptions, parts: Parts, ledger: Ledger) {
    this.#options = options;
    this.#parts = parts;
    this.#ledger = ledger;
  }

  /** Looks at everything once, and from then on hears of changes. */
  async begin(): Promise<void> {
    const { networkNamespace, observeEveryMs = OBSERVE_EVERY_MS } = this.#options;
    await this.#surveyAll();
    this.#stopWatching = watchLinks({
      ...(networkNamespace === undefined ? {} : { networkNamespace }),
      clock: this.#parts.clock,
      changed: (name) => this.#interfaceChanged(name),
      missed: () => this.#interfacesChanged(),
    });
    this.#repeat('looking at the host', observeEveryMs, () => this.#surveyAll());
    this.#repeat('looking for edited domains', GLANCE_EVERY_MS, async () => {
      for (const id of await this.#parts.domains.redefined()) this.heard(id);
    });
    const tryBridged = () => this.#tryBridged();
    this.#inBackground('trying the firewall', tryBridged);
    this.#repeat('trying the firewall', TRY_BRIDGED_EVERY_MS, tryBridged);
    this.#repeat('looking after DHCP servers', TEND_EVERY_MS, async () => {
      if (await this.#parts.network.tend()) await this.#surveyNetwork();
    });
  }

  /** Libvirt cannot be reached. */
  away(why: string): void {
    this.#stopAway = this.#parts.clock.after(AWAY_GRACE_MS, () => this.#troubles.set('libvirt', awayTrouble(why)));
  }

  /** Events of libvirt were missed, and it is there again. */
  lost(): void {
    this.#stopAway();
    this.#troubles.set('libvirt');
    this.#ledger.tell({ type: 'lost' });
  }

  /**
   * Something happened to a domain. It may be worked on at the moment: the look at it waits for its turn, so that the
   * last look is the newest.
   */
  heard(uuid: string, panicked = false): void {
    const ref = { kind: 'domain', id: uuid } as const;
    const { domains } = this.#parts;
    this.#inBackground(`looking at domain ${uuid}`, async () => {
      await domains.heard(uuid, panicked);
      await this.#locks.hold({ exclusive: [thingKey(ref)] }, async () => {
        const found = await domains.observeOne(uuid);
        if (found === undefined) this.#ledger.drop(ref);
        else this.#ledger.note(found);
      });
    });
  }

  facts(): Promise<DriverFacts> {
    return machineFacts();
  }

  troubles(): ReturnType<Driver['troubles']> {
    return this.#troubles.list();
  }

  async observe(): Promise<LiveThing[]> {
    await this.#surveyAll();
    return this.#ledger.list();
  }

  async ensure(thing: Thing, attention?: Attention): Promise<void> {
    // Before the turn of the thing: who removes an image, or wants it from elsewhere, need not wait for the fetch.
    if (thing.kind === 'image') await this.#named(thing, () => this.#parts.images.fetch(thing, attention));
    const shared = dependenciesOf(thing).map(thingKey);
    await this.#work(thing, shared, async () => {
      requireDependencies(thing, (ref) => this.#ledger.get(ref) !== undefined);
      this.#ledger.put(await this.#make(thing, attention));
    });
  }

  remove(thing: { kind: ThingKind; id: string; owner: string }, attention?: Attention): Promise<void> {
    const isAnothers = () => isAnothersImage(thing, this.#ledger.get(thing));
    if (thing.kind === 'image' && !isAnothers()) this.#parts.images.abort(thing.id);
    return this.#work(thing, [], async () => {
      if (isAnothers()) return;
      requireUnused(thing, this.#ledger.list());
      for (const note of await this.#unmake(thing)) attention?.onNote?.(note);
      this.#ledger.drop(thing);
    });
  }

  onChange(listener: (change: DriverChange) => void): () => void {
    return this.#ledger.listen(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const timers = [...this.#stopRepeating.values(), this.#stopSettling, this.#stopAway];
    for (const stop of [this.#stopWatching, ...timers]) stop();
    this.#parts.domains.close();
    this.#parts.images.abortAll();
    this.#parts.fetcher.close();
    this.#parts.link.close();
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

  #named<T>(ref: { kind: ThingKind; id: string }, work: () => Promise<T>): Promise<T> {
    return work().catch((thrown) => {
      throw PlumbError.from(thrown, thingKey(ref));
    });
  }

  async #make(thing: Thing, attention?: Attention): Promise<LiveThing> {
    const { images, disks, seeds, network } = this.#parts;
    switch (thing.kind) {
      case 'image':
        return images.ensure(thing, attention);
      case 'bridge':
        return network.ensureBridge(thing);
      case 'subnet':
        return network.ensureSubnet(thing);
      case 'disk':
        return disks.ensure(thing);
      case 'seed':
        // Its domain may run with the one before.
        return seeds.ensure(thing).finally(() => this.heard(thing.owner));
      case 'port':
        return network.ensurePort(thing);
      case 'domain':
        return this.#makeDomain(thing, attention);
    }
  }

  async #makeDomain(thing: Thing<'domain'>, attention?: Attention): Promise<LiveThing> {
    const { domains, partsOf } = this.#parts;
    await this.#handOver(thing);
    const parts = partsOf(thing);
    if (parts === undefined) throw retryable('MissingDependency', `a disk of ${thingKey(thing)} is not on this host`);
    const { live, notes } = await domains.ensure(thing, parts);
    for (const note of notes) attention?.onNote?.(note);
    return live;
  }

  /** What the domain is made of becomes readable for the user that QEMU is started as. */
  async #handOver({ spec }: Thing<'domain'>): Promise<void> {
    const { disks, seeds } = this.#parts;
    await Promise.all(spec.disks.map((disk) => disks.handOver(disk)));
    if (spec.seed !== undefined) await seeds.handOver(spec.seed);
  }

  /** Resolves to sentences that a person should know: what stays that Plumb did not make. */
  async #unmake({ kind, id }: { kind: ThingKind; id: string }): Promise<string[]> {
    const { images, disks, seeds, network, domains } = this.#parts;
    switch (kind) {
      case 'image':
        await images.remove(id);
        return [];
      case 'bridge':
        await network.removeBridge(id);
        return [];
      case 'subnet':
        await network.removeSubnet(id);
        return [];
      case 'disk':
        await disks.remove(id);
        return [];
      case 'seed':
        await seeds.remove(id);
        return [];
      case 'port':
        await network.removePort(id);
        return [];
      case 'domain': {
        const left = await domains.remove(id);
        return left.map((file) => `${file} stays on the host: Plumb did not make it`);
      }
    }
  }

  #interfaceChanged(name: string): void {
    if (this.#settling || !this.#parts.network.watches(name)) return;
    this.#settling = true;
    this.#stopSettling = this.#parts.clock.after(SETTLE_MS, () => {
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

  /** Does the work again and again, each time a while after it last ended. */
  #repeat(what: string, everyMs: number, work: () => Promise<void>): void {
    const again = () => {
      if (this.#closed) return;
      const once = () => this.#inBackground(what, () => work().finally(again));
      this.#stopRepeating.set(what, this.#parts.clock.after(everyMs, once));
    };
    again();
  }

  #inBackground(what: string, work: () => Promise<void>): void {
    if (this.#closed) return;
    work().catch((thrown) => {
      if (!this.#closed) this.#options.log(`${what} failed: ${PlumbError.from(thrown, what).message}`);
    });
  }

  async #tryBridged(): Promise<void> {
    this.#troubles.set('bridged', ...bridgedTrouble(await this.#parts.bridged.problem()));
  }

  async #surveyAll(): Promise<void> {
    await this.#lookAtSpace();
    // What a domain is made of tells whether somebody edited it.
    await this.#surveyStorage();
    await Promise.all([this.#surveyNetwork(), this.#surveyDomains()]);
  }

  async #lookAtSpace(): Promise<void> {
    const { dataDir } = this.#parts;
    const left = await spaceLeft(dataDir, this.#options.limits.leastFreeMiB);
    this.#troubles.set('space', ...fullTrouble(dataDir, left));
  }

  #surveyOf(kind: ThingKind): Promise<void> {
    if (kind === 'domain') return this.#surveyDomains();
    return NETWORK_KINDS.includes(kind) ? this.#surveyNetwork() : this.#surveyStorage();
  }

  #surveyStorage(): Promise<void> {
    const { images, disks, seeds } = this.#parts;
    return this.#ledger.survey(STORAGE_KINDS, async () => ({
      things: (await Promise.all([images.observe(), disks.observe(), seeds.observe()])).flat(),
    }));
  }

  #surveyNetwork(): Promise<void> {
    return this.#ledger.survey(NETWORK_KINDS, async () => ({ things: await this.#parts.network.observe() }));
  }

  #surveyDomains(): Promise<void> {
    return this.#ledger.survey(['domain'], async () => {
      const { things, unseen, asRoot } = await this.#parts.domains.observe();
      this.#troubles.set('domains', ...hiddenTrouble(unseen));
      this.#troubles.set('root', ...rootTrouble(this.#parts.user.uid, asRoot));
      return { things, unseen: unseen.map(({ id }) => thingKey({ kind: 'domain', id })) };
    });
  }
}
