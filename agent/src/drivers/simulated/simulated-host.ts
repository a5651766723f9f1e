import type { Clock, DomainFacts, HostResource, LiveResource, Random, ResourceRef, ResourceType } from '@plumb/schemas';
import { bootedFacts, domainChange, resourceKey, retryable, shownUrl, terminal } from '@plumb/schemas';
import { rememberedSeed } from '@plumb/schemas/resources/seed.ts';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { Turns } from '../../turns.ts';
import { isAnothersImage, requireDependencies, requireUnused } from '../dependencies.ts';
import type { Attention, Driver, DriverChange, DriverFacts } from '../driver.ts';
import { checkImage } from './image-check.ts';
import type { Latency } from './latency.ts';
import { SpecPool } from './spec-pool.ts';

export interface SimulatedHostOptions extends DriverFacts {
  clock: Clock;
  random: Random;
  /** How long one operation takes; nothing, if absent. */
  latency?: Latency;
  /** Share of operations, 0 to 1, that fail in a way that may pass: half of them before, half after they took effect. */
  failureRate?: number;
  /** Where images may come from; as the rules are without options, if absent. */
  sources?: SourceRules;
  /** Shared by the hosts of one process to save memory. */
  pool?: SpecPool;
  /**
   * What lives there from the start; nothing, if absent. The same each time: it is asked for again and not kept as long
   * as the host is only looked at.
   */
  carries?: () => readonly HostResource[];
}

/**
 * A host that exists in memory only, with the rules of a real one. It outlives the connections of its agent, and ends
 * with the process: after a restart of the agent it is a host that was rebooted with an empty disk.
 */
export class SimulatedHost implements Driver {
  readonly name = 'simulated';
  readonly #options: SimulatedHostOptions;
  readonly #pool: SpecPool;
  /** Undefined as long as nothing was changed. */
  #changed: Map<string, LiveResource> | undefined;
  readonly #boots = new Map<string, number>();
  readonly #foreign = new Set<string>();
  readonly #broken = new Set<string>();
  /** Those that bring nothing. */
  readonly #fetches = new Set<{ id: string; giveUp(): void }>();
  readonly #stalled = new Map<string, { promise: Promise<void>; resolve(): void }>();
  readonly #listeners = new Set<(change: DriverChange) => void>();
  readonly #turns = new Turns();
  #troubles: readonly HostTrouble[] = NO_TROUBLES;

  constructor(options: SimulatedHostOptions) {
    this.#options = options;
    this.#pool = options.pool ?? new SpecPool();
  }

  async facts(): Promise<DriverFacts> {
    return { cpus: this.#options.cpus, memoryMiB: this.#options.memoryMiB };
  }

  troubles(): readonly HostTrouble[] {
    return this.#troubles;
  }

  /** From now on these are wrong with the host. */
  suffer(...troubles: HostTrouble[]): void {
    this.#troubles = troubles;
    this.#tell({ type: 'troubles' });
  }

  async observe(): Promise<LiveResource[]> {
    return this.#changed ? [...this.#changed.values()] : this.#atFirst();
  }

  async ensure(resource: HostResource, attention: Attention = {}): Promise<void> {
    if (resource.kind === 'image') await this.#untilFetched(resource, attention);
    await this.#operation(resource, async () => {
      if (resource.kind === 'image') await this.#fetch(resource);
      requireDependencies(resource, (ref) => this.#resources.has(resourceKey(ref)));
      if (resource.kind === 'domain') this.#requireName(resource);
      const now = this.#resources.get(resourceKey(resource));
      const next = made(this.#pool.share(rememberedSeed(resource)), now);
      if (now !== undefined && same(now, next)) return;
      if (boots(now, next)) this.#boots.set(next.id, this.bootsOf(next.id) + 1);
      this.#put(next);
      if (next.kind === 'seed' && now?.kind === 'seed' && now.spec.instanceId !== next.spec.instanceId)
        this.#outdateSeed(next.owner);
    });
  }

  remove(resource: { kind: ResourceType; id: string; owner: string }): Promise<void> {
    if (resource.kind === 'image') this.#endFetch(resource.id);
    return this.#operation(resource, async () => {
      const now = this.#resources.get(resourceKey(resource));
      if (now === undefined || isAnothersImage(resource, now)) return;
      requireUnused(now, this.#resources.values());
      this.#resources.delete(resourceKey(now));
      if (now.kind === 'domain') this.#boots.delete(now.id);
      this.#tell({ type: 'removed', kind: now.kind, id: now.id, owner: now.owner });
    });
  }

  onChange(listener: (change: DriverChange) => void): () => void {
    const own = (change: DriverChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  /** What lives on the host, by resourceKey: the truth, whoever asks. */
  get resources(): ReadonlyMap<string, LiveResource> {
    return this.#resources;
  }

  /** How often the guest was started: what is changed live starts none. */
  bootsOf(domainId: string): number {
    return this.#boots.get(domainId) ?? 0;
  }

  /** What an agent leaves that dies between making a disk and writing down for what: nothing, where one was made before. */
  leaveHalfMade(disk: HostResource<'disk'>): void {
    if (this.#resources.has(resourceKey(disk))) return;
    if (!this.#resources.has(resourceKey({ kind: 'image', id: disk.spec.image }))) return;
    this.#put({ ...disk, drift: ['its declaration is not on this host'] });
  }

  /** A guest ends: by a crash or a kill from outside, or by its own shutdown. */
  kill(domainId: string, reason: Exclude<DomainFacts['reason'], 'booted'>): void {
    const domain = this.#must({ kind: 'domain', id: domainId });
    if (domain.domain?.state === 'running') this.#put({ ...domain, domain: { state: 'off', reason } });
  }

  /** Someone takes the port off its bridge. */
  loseBridgePort(portId: string): void {
    const port = this.#must({ kind: 'port', id: portId });
    this.#put({ ...port, drift: ['its tap is not on the bridge'] });
  }

  /** Every fetch of this URL breaks off in the middle, until {@link mendFetch}. */
  breakFetch(url: string): void {
    this.#broken.add(url);
  }

  /** No fetch of this URL brings anything, until {@link mendFetch}. */
  stallFetch(url: string): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled.set(url, { promise, resolve });
  }

  mendFetch(url: string): void {
    this.#broken.delete(url);
    this.#stalled.get(url)?.resolve();
    this.#stalled.delete(url);
  }

  /** The driver's connection to its hypervisor breaks and comes back: events may have been missed. */
  loseTrack(): void {
    this.#tell({ type: 'lost' });
  }

  /** A domain that someone else made on the host. */
  addForeignDomain(name: string): void {
    this.#foreign.add(name);
  }

  removeForeignDomain(name: string): void {
    this.#foreign.delete(name);
  }

  hasForeignDomain(name: string): boolean {
    return this.#foreign.has(name);
  }

  /** Operations on one resource take turns, each as long as the latency says. */
  #operation(ref: ResourceRef, run: () => Promise<void>): Promise<void> {
    return this.#turns.take(resourceKey(ref), async () => {
      const { clock, random, latency, failureRate = 0 } = this.#options;
      const ms = latency?.(random) ?? 0;
      if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
      const fails = failureRate > 0 && random.next() < failureRate;
      const early = fails && random.next() < 0.5;
      if (!early) await run();
      if (fails)
        throw retryable(
          'SimulatedFailure',
          `${resourceKey(ref)}: the simulated host was told to fail now and then, and did so ${early ? 'before' : 'after'} it took effect`,
        );
    });
  }

  /** Before the turn of the image, as on a real host: who waits for a fetch may give up. */
  async #untilFetched(resource: HostResource<'image'>, { signal, onProgress }: Attention): Promise<void> {
    const stalled = this.#stalled.get(resource.spec.url);
    if (stalled === undefined || this.#resources.has(resourceKey(resource))) return;
    const { promise: ended, reject } = Promise.withResolvers<void>();
    const giveUp = () => reject(retryable('Aborted', `the fetch of image ${resource.id} was ended`));
    const fetch = { id: resource.id, giveUp };
    this.#fetches.add(fetch);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    onProgress?.({ bytes: 0, ofBytes: undefined });
    try {
      await Promise.race([stalled.promise, ended]);
    } finally {
      this.#fetches.delete(fetch);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #endFetch(id: string): void {
    for (const fetch of this.#fetches) if (fetch.id === id) fetch.giveUp();
  }

  async #fetch(resource: HostResource<'image'>): Promise<void> {
    const { url } = resource.spec;
    if (this.#resources.has(resourceKey(resource))) return;
    if (this.#broken.has(url))
      throw retryable('ImageUnavailable', `the image at ${shownUrl(url)} broke off while it was fetched`);
    await checkImage(resource, this.#options.sources ?? ANY);
  }

  /** Its domain, if it runs, was started with the seed of before. */
  #outdateSeed(id: string): void {
    const domain = this.#resources.get(resourceKey({ kind: 'domain', id }));
    if (domain?.kind === 'domain' && domain.domain?.state === 'running')
      this.#put({ ...domain, domain: { ...domain.domain, oldSeed: true } });
  }

  #requireName(resource: HostResource<'domain'>): void {
    const { name } = resource.spec;
    if (this.#foreign.has(name))
      throw terminal(
        'NameTaken',
        `a domain named ${name} is on this host and was not made by Plumb: rename one of the two, or remove it`,
      );
    for (const other of this.#resources.values())
      if (other.kind === 'domain' && other.spec.name === name && other.id !== resource.id)
        throw retryable('NameTaken', `a domain named ${name} is still on this host, made for object ${other.owner}`);
  }

  get #resources(): Map<string, LiveResource> {
    this.#changed ??= new Map(this.#atFirst().map((resource) => [resourceKey(resource), resource]));
    return this.#changed;
  }

  #atFirst(): LiveResource[] {
    return (this.#options.carries?.() ?? []).map((resource) => made(this.#pool.share(resource), undefined));
  }

  #must(ref: ResourceRef): LiveResource {
    const resource = this.#resources.get(resourceKey(ref));
    if (resource === undefined) throw terminal('NotFound', `${resourceKey(ref)} is not on this host`);
    return resource;
  }

  #put(resource: LiveResource): void {
    this.#resources.set(resourceKey(resource), resource);
    this.#tell({ type: 'changed', resource });
  }

  #tell(change: DriverChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const ANY = new SourceRules();

/** One array and few objects for all resources of all hosts, since nearly all of them are alike in this. */
const NO_DRIFT: string[] = [];
const NO_TROUBLES: readonly HostTrouble[] = [];
const BOOTED = new Map<number, DomainFacts>();
const STOPPED: DomainFacts = { state: 'off', reason: 'destroyed' };
const NEVER_RAN: DomainFacts = { state: 'off', reason: 'unknown' };

/** The resource as it is after it was made. What is off and shall be off keeps the reason why it is off. */
function made(resource: HostResource, now: LiveResource | undefined): LiveResource {
  const live = {
    kind: resource.kind,
    id: resource.id,
    owner: resource.owner,
    spec: resource.spec,
    drift: NO_DRIFT,
  } as LiveResource;
  if (resource.kind !== 'domain') return live;
  if (resource.spec.power === 'Running')
    return { ...live, domain: boots(now, resource) ? booted(resource.spec.cpus) : now!.domain };
  if (now === undefined) return { ...live, domain: NEVER_RAN };
  return { ...live, domain: now.domain?.state === 'off' ? now.domain : STOPPED };
}

/** Whether the guest is started for the resource to become `next`: it was off, or only a restart changes it. */
function boots(now: LiveResource | undefined, next: HostResource): boolean {
  if (next.kind !== 'domain' || next.spec.power !== 'Running') return false;
  if (now?.kind !== 'domain' || now.domain?.state !== 'running') return true;
  return domainChange({ ...now.spec, power: next.spec.power }, next.spec, now.domain) === 'restart';
}

function booted(cpus: number): DomainFacts {
  const known = BOOTED.get(cpus) ?? bootedFacts(cpus);
  BOOTED.set(cpus, known);
  return known;
}

function same(now: LiveResource, next: LiveResource): boolean {
  return (
    now.owner === next.owner &&
    now.drift.length === 0 && // guard: half-made disk reused by the next create
    now.domain?.state === next.domain?.state &&
    (now.spec === next.spec || JSON.stringify(now.spec) === JSON.stringify(next.spec))
  );
}
