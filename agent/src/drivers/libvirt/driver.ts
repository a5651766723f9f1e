import { cpus, totalmem } from 'node:os';
import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import { PlumbError, resourceKey, resourceTypes, terminal } from '@plumb/schemas';
import { Locks } from '../../host/locks.ts';
import { spaceLeft } from '../../host/space-left.ts';
import { Troubles } from '../../host/troubles.ts';
import { watchLinks } from '../../network/watch.ts';
import { isAnothersImage, requireDependencies, requireUnused } from '../dependencies.ts';
import type { Attention, Driver, DriverChange, DriverFacts } from '../driver.ts';
import { Handlers, type OwnLook } from './handlers.ts';
import {
  awayTrouble,
  bridgedTrouble,
  fullTrouble,
  hiddenTrouble,
  recordsTrouble,
  rootTrouble,
} from './host-troubles.ts';
import { Ledger } from './ledger.ts';
import type { LibvirtDriverOptions } from './options.ts';
import type { Parts } from './parts.ts';
import { openParts } from './parts.ts';
import type { LinkListener } from './rpc/link.ts';

export type { LibvirtDriverOptions } from './options.ts';

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
  readonly #handlers: Handlers;
  readonly #locks = new Locks();
  readonly #troubles = new Troubles(() => this.#ledger.tell({ type: 'troubles' }));
  #stopAway = () => {};
  #stopWatching = () => {};
  #stopGuarding = () => {};
  #stopSettling = () => {};
  readonly #stopRepeating = new Map<string, () => void>();
  #settling = false;
  #closed = false;

  constructor(options: LibvirtDriverOptions, parts: Parts, ledger: Ledger) {
    this.#options = options;
    this.#parts = parts;
    this.#ledger = ledger;
    this.#handlers = new Handlers(parts, { seedReplaced: (uuid) => this.heard(uuid) });
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
    this.#stopGuarding = this.#parts.network.watchFilter(networkNamespace, () =>
      this.#inBackground('mending the packet filter', () => this.#mendFilter()),
    );
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
      await this.#locks.hold({ exclusive: [resourceKey(ref)] }, async () => {
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

  async observe(): Promise<LiveResource[]> {
    await this.#surveyAll();
    return this.#ledger.list();
  }

  async ensure(resource: HostResource, attention?: Attention): Promise<void> {
    const { prepare, ensure } = this.#handlers.of(resource);
    if (prepare) await this.#named(resource, () => prepare(attention));
    const shared = resourceTypes.requirements(resource).map(resourceKey);
    await this.#work(resource, shared, async () => {
      requireDependencies(resource, (ref) => this.#ledger.get(ref) !== undefined);
      const made = await ensure(attention);
      if (resourceKey(made) !== resourceKey(resource))
        throw terminal(
          'InternalError',
          `what was made for ${resourceKey(resource)} says that it is ${resourceKey(made)}`,
        );
      this.#ledger.put(made);
    });
  }

  remove(resource: { kind: ResourceType; id: string; owner: string }, attention?: Attention): Promise<void> {
    const isAnothers = () => isAnothersImage(resource, this.#ledger.get(resource));
    const { abort, remove } = this.#handlers.ofType(resource.kind);
    if (!isAnothers()) abort?.(resource.id);
    return this.#work(resource, [], async () => {
      if (isAnothers()) return;
      requireUnused(resource, this.#ledger.list());
      for (const note of await remove(resource.id)) attention?.onNote?.(note);
      this.#ledger.drop(resource);
    });
  }

  onChange(listener: (change: DriverChange) => void): () => void {
    return this.#ledger.listen(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const timers = [...this.#stopRepeating.values(), this.#stopSettling, this.#stopAway];
    for (const stop of [this.#stopWatching, this.#stopGuarding, ...timers]) stop();
    this.#parts.domains.close();
    this.#parts.images.abortAll();
    this.#parts.fetcher.close();
    this.#parts.link.close();
  }

  /** Has the resource to itself, and what it refers to stay as it is. After a failure, looks at what came of it. */
  async #work(ref: { kind: ResourceType; id: string }, shared: string[], work: () => Promise<void>): Promise<void> {
    await this.#locks.hold({ exclusive: [resourceKey(ref)], shared }, async () => {
      try {
        await this.#ledger.during(ref, work);
      } catch (thrown) {
        await this.#surveyOf(ref.kind).catch(() => {}); // The failure itself is what is told.
        throw PlumbError.from(thrown, resourceKey(ref));
      }
    });
  }

  #named<T>(ref: { kind: ResourceType; id: string }, work: () => Promise<T>): Promise<T> {
    return work().catch((thrown) => {
      throw PlumbError.from(thrown, resourceKey(ref));
    });
  }

  #interfaceChanged(name: string): void {
    if (this.#settling || !this.#parts.network.watches(name)) return;
    this.#settling = true;
    this.#stopSettling = this.#parts.clock.after(SETTLE_MS, () => {
      this.#settling = false;
      this.#interfacesChanged();
    });
  }

  /** Guests are not filtered until it is there again: that is told, and does not wait for a word of the control plane. */
  async #mendFilter(): Promise<void> {
    this.#options.log('somebody took rules of Plumb out of the packet filter: they are loaded anew');
    const look = () =>
      Promise.all([this.#surveyNetwork(), ...this.#handlers.ownLooks.map((own) => this.#surveyOwn(own))]);
    await look();
    await Promise.all([this.#parts.network.mendFilter(), this.#handlers.mend()]);
    await look();
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
    const ownLooks = this.#handlers.ownLooks.map((look) => this.#surveyOwn(look));
    await Promise.all([this.#surveyNetwork(), this.#surveyDomains(), ...ownLooks]);
    const { images, disks, seeds, network } = this.#parts;
    const unreadable = [images, disks, seeds, network].flatMap((part) => part.unreadable);
    unreadable.push(...this.#handlers.unreadable());
    this.#troubles.set('records', ...recordsTrouble(unreadable));
  }

  async #lookAtSpace(): Promise<void> {
    const { dataDir } = this.#parts;
    const left = await spaceLeft(dataDir, this.#options.limits.leastFreeMiB);
    this.#troubles.set('space', ...fullTrouble(dataDir, left));
  }

  #surveyOf(kind: ResourceType): Promise<void> {
    const { foundBy } = this.#handlers.ofType(kind);
    if (typeof foundBy === 'function') return this.#surveyOwn({ type: kind, find: foundBy });
    switch (foundBy) {
      case 'domains':
        return this.#surveyDomains();
      case 'network':
        return this.#surveyNetwork();
      case 'storage':
        return this.#surveyStorage();
    }
  }

  #surveyStorage(): Promise<void> {
    const { images, disks, seeds } = this.#parts;
    return this.#ledger.survey(this.#handlers.foundBy('storage'), async () => ({
      resources: (await Promise.all([images.observe(), disks.observe(), seeds.observe()])).flat(),
    }));
  }

  #surveyOwn({ type, find }: OwnLook): Promise<void> {
    return this.#ledger.survey([type], async () => ({ resources: await find() }));
  }

  #surveyNetwork(): Promise<void> {
    return this.#ledger.survey(this.#handlers.foundBy('network'), async () => ({
      resources: await this.#parts.network.observe(),
    }));
  }

  #surveyDomains(): Promise<void> {
    return this.#ledger.survey(this.#handlers.foundBy('domains'), async () => {
      const { resources, unseen, asRoot } = await this.#parts.domains.observe();
      this.#troubles.set('domains', ...hiddenTrouble(unseen));
      this.#troubles.set('root', ...rootTrouble(this.#parts.user.uid, asRoot));
      return { resources, unseen: unseen.map(({ id }) => resourceKey({ kind: 'domain', id })) };
    });
  }
}
