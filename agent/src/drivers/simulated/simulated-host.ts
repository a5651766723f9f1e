import type { Clock, DomainFacts, LiveThing, Random, Thing, ThingKind } from '@plumb/schemas';
import { bootedFacts, domainChange, retryable, shownUrl, terminal, thingKey } from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { SourceRules } from '../../fetch/source-rules.ts';
import { Turns } from '../../turns.ts';
import type { ThingRef } from '../dependencies.ts';
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
  carries?: () => readonly Thing[];
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
  #changed: Map<string, LiveThing> | undefined;
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

  async observe(): Promise<LiveThing[]> {
    return this.#changed ? [...this.#changed.values()] : this.#atFirst();
  }

  async ensure(thing: Thing, attention: Attention = {}): Promise<void> {
    if (thing.kind === 'image') await this.#untilFetched(thing, attention);
    await this.#operation(thing, async () => {
      if (thing.kind === 'image') await this.#fetch(thing);
      requireDependencies(thing, (ref) => this.#things.has(thingKey(ref)));
      if (thing.kind === 'domain') this.#requireName(thing);
      const now = this.#things.get(thingKey(thing));
      const next = made(this.#pool.share(thing), now);
      if (now !== undefined && same(now, next)) return;
      if (boots(now, next)) this.#boots.set(next.id, this.bootsOf(next.id) + 1);
      this.#put(next);
      if (next.kind === 'seed' && now?.kind === 'seed' && now.spec.instanceId !== next.spec.instanceId)
        this.#outdateSeed(next.owner);
    });
  }

  remove(thing: { kind: ThingKind; id: string; owner: string }): Promise<void> {
    if (thing.kind === 'image') this.#endFetch(thing.id);
    return this.#operation(thing, async () => {
      const now = this.#things.get(thingKey(thing));
      if (now === undefined || isAnothersImage(thing, now)) return;
      requireUnused(now, this.#things.values());
      this.#things.delete(thingKey(now));
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

  /** What lives on the host, by thingKey: the truth, whoever asks. */
  get things(): ReadonlyMap<string, LiveThing> {
    return this.#things;
  }

  /** How often the guest was started: what is changed live starts none. */
  bootsOf(domainId: string): number {
    return this.#boots.get(domainId) ?? 0;
  }

  /** What an agent leaves that dies between making a disk and writing down for what: nothing, where one was made before. */
  leaveHalfMade(disk: Thing<'disk'>): void {
    if (this.#things.has(thingKey(disk))) return;
    if (!this.#things.has(thingKey({ kind: 'image', id: disk.spec.image }))) return;
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

  /** Operations on one thing take turns, each as long as the latency says. */
  #operation(ref: ThingRef, run: () => Promise<void>): Promise<void> {
    return this.#turns.take(thingKey(ref), async () => {
      const { clock, random, latency, failureRate = 0 } = this.#options;
      const ms = latency?.(random) ?? 0;
      if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
      const fails = failureRate > 0 && random.next() < failureRate;
      const early = fails && random.next() < 0.5;
      if (!early) await run();
      if (fails)
        throw retryable(
          'SimulatedFailure',
          `${thingKey(ref)}: the simulated host was told to fail now and then, and did so ${early ? 'before' : 'after'} it took effect`,
        );
    });
  }

  /** Before the turn of the image, as on a real host: who waits for a fetch may give up. */
  async #untilFetched(thing: Thing<'image'>, { signal, onProgress }: Attention): Promise<void> {
    const stalled = this.#stalled.get(thing.spec.url);
    if (stalled === undefined || this.#things.has(thingKey(thing))) return;
    const { promise: ended, reject } = Promise.withResolvers<void>();
    const giveUp = () => reject(retryable('Aborted', `the fetch of image ${thing.id} was ended`));
    const fetch = { id: thing.id, giveUp };
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

  async #fetch(thing: Thing<'image'>): Promise<void> {
    const { url } = thing.spec;
    if (this.#things.has(thingKey(thing))) return;
    if (this.#broken.has(url))
      throw retryable('ImageUnavailable', `the image at ${shownUrl(url)} broke off while it was fetched`);
    await checkImage(thing, this.#options.sources ?? ANY);
  }

  /** Its domain, if it runs, was started with the seed of before. */
  #outdateSeed(id: string): void {
    const domain = this.#things.get(thingKey({ kind: 'domain', id }));
    if (domain?.kind === 'domain' && domain.domain?.state === 'running')
      this.#put({ ...domain, domain: { ...domain.domain, oldSeed: true } });
  }

  #requireName(thing: Thing<'domain'>): void {
    const { name } = thing.spec;
    if (this.#foreign.has(name))
      throw terminal(
        'NameTaken',
        `a domain named ${name} is on this host and was not made by Plumb: rename one of the two, or remove it`,
      );
    for (const other of this.#things.values())
      if (other.kind === 'domain' && other.spec.name === name && other.id !== thing.id)
        throw retryable('NameTaken', `a domain named ${name} is still on this host, made for object ${other.owner}`);
  }

  get #things(): Map<string, LiveThing> {
    this.#changed ??= new Map(this.#atFirst().map((thing) => [thingKey(thing), thing]));
    return this.#changed;
  }

  #atFirst(): LiveThing[] {
    return (this.#options.carries?.() ?? []).map((thing) => made(this.#pool.share(thing), undefined));
  }

  #must(ref: ThingRef): LiveThing {
    const thing = this.#things.get(thingKey(ref));
    if (thing === undefined) throw terminal('NotFound', `${thingKey(ref)} is not on this host`);
    return thing;
  }

  #put(thing: LiveThing): void {
    this.#things.set(thingKey(thing), thing);
    this.#tell({ type: 'changed', thing });
  }

  #tell(change: DriverChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

const ANY = new SourceRules();

/** One array and few objects for all things of all hosts, since nearly all of them are alike in this. */
const NO_DRIFT: string[] = [];
const NO_TROUBLES: readonly HostTrouble[] = [];
const BOOTED = new Map<number, DomainFacts>();
const STOPPED: DomainFacts = { state: 'off', reason: 'destroyed' };
const NEVER_RAN: DomainFacts = { state: 'off', reason: 'unknown' };

/** The thing as it is after it was made. What is off and shall be off keeps the reason why it is off. */
function made(thing: Thing, now: LiveThing | undefined): LiveThing {
  const live = { kind: thing.kind, id: thing.id, owner: thing.owner, spec: thing.spec, drift: NO_DRIFT } as LiveThing;
  if (thing.kind !== 'domain') return live;
  if (thing.spec.power === 'Running')
    return { ...live, domain: boots(now, thing) ? booted(thing.spec.cpus) : now!.domain };
  if (now === undefined) return { ...live, domain: NEVER_RAN };
  return { ...live, domain: now.domain?.state === 'off' ? now.domain : STOPPED };
}

/** Whether the guest is started for the thing to become `next`: it was off, or only a restart changes it. */
function boots(now: LiveThing | undefined, next: Thing): boolean {
  if (next.kind !== 'domain' || next.spec.power !== 'Running') return false;
  if (now?.kind !== 'domain' || now.domain?.state !== 'running') return true;
  return domainChange({ ...now.spec, power: next.spec.power }, next.spec, now.domain) === 'restart';
}

function booted(cpus: number): DomainFacts {
  const known = BOOTED.get(cpus) ?? bootedFacts(cpus);
  BOOTED.set(cpus, known);
  return known;
}

function same(now: LiveThing, next: LiveThing): boolean {
  return (
    now.owner === next.owner &&
    now.drift.length === 0 && // guard: half-made disk reused by the next create
    now.domain?.state === next.domain?.state &&
    (now.spec === next.spec || JSON.stringify(now.spec) === JSON.stringify(next.spec))
  );
}
