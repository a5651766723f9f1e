/** A fleet in memory for tests of controllers: hosts that obey at once, or fail as the test says. */
import {
  bootedFacts,
  domainChange,
  type LiveThing,
  type PlumbError,
  retryable,
  type Thing,
  thingKey,
  thingOrder,
} from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { thingLine } from '@plumb/schemas/wire/thing-line.ts';
import type {
  CommandAttention,
  Fleet,
  FleetCommand,
  HostFacts,
  HostLive,
  LiveChange,
  OwnedLive,
  StepOutcome,
} from '../fleet.ts';
import type { Likeness } from '../likeness.ts';
import { ShortLines } from '../short-lines.ts';

interface FakeHost extends HostLive {
  connected: boolean;
  things: Map<string, LiveThing>;
  sharedVersion: number;
  troubles: readonly HostTrouble[];
}

/** What versions are counted of, in a fleet where every change is one. */
interface FakeOwned extends OwnedLive {
  version: number;
}

export class FakeFleet implements Fleet {
  /** Every command that was sent, in order. */
  readonly sent: { host: string; command: FleetCommand }[] = [];
  /** Asked before each step; an error makes the step fail. */
  fault: (host: string, verb: 'ensure' | 'remove', thing: Thing) => PlumbError | undefined = () => undefined;
  /** URLs of images of which a fetch brings nothing, until it is given up. */
  readonly stalled = new Set<string>();
  /** Told of those fetches as they are joined. */
  progress: { bytes: number; ofBytes: number | undefined } = { bytes: 0, ofBytes: undefined };
  crowded = false;
  /** Hosts that were let in and have not told everything. */
  readonly telling = new Set<string>();
  private readonly all = new Map<string, FakeHost>();
  private readonly live = new Map<string, FakeOwned>();
  private readonly lines = new ShortLines();
  private versions = 0;
  private readonly listeners = new Set<(change: LiveChange) => void>();

  /** Connects the host; `carried`: what lives there, in place of what lived there when it was last seen. */
  connect(name: string, facts: Partial<HostFacts> = {}, carried?: readonly LiveThing[]): void {
    const known = this.all.get(name);
    if (known) known.connected = false;
    const things: FakeHost['things'] =
      (carried && new Map(carried.map((thing) => [thingKey(thing), thing]))) ?? known?.things ?? new Map();
    const owners = () => new Set([...things.values()].map(({ owner }) => owner));
    const whole = {
      driver: 'simulated',
      agentVersion: '0',
      cpus: 8,
      memoryMiB: 16384,
      tunnelAddress: `192.0.2.${this.all.size + 1}`,
      streamAddress: facts.tunnelAddress ?? `192.0.2.${this.all.size + 1}`,
    };
    const sharers = () => {
      const shared = [...things.values()].filter(({ kind }) => thingOrder(kind) < thingOrder('disk'));
      return new Set(shared.map(({ owner }) => owner));
    };
    for (const thing of [...(known?.things.values() ?? []), ...things.values()]) this.count(name, thing);
    const sharedVersion = ++this.versions;
    this.all.set(name, {
      name,
      connected: true,
      facts: { ...whole, ...facts },
      things,
      owners,
      sharers,
      sharedVersion,
      troubles: [],
    });
    this.tell({ type: 'host', host: name });
  }

  disconnect(name: string): void {
    this.all.get(name)!.connected = false;
    this.tell({ type: 'host', host: name });
  }

  /** Hosts that are not heard, and why. */
  readonly refused = new Map<string, PlumbError>();

  refusalOf(host: string): PlumbError | undefined {
    return this.refused.get(host);
  }

  report(name: string, ...troubles: HostTrouble[]): void {
    this.all.get(name)!.troubles = troubles;
    this.tell({ type: 'troubles', host: name });
  }

  /** Hosts that did not answer in time. */
  readonly silent = new Map<string, PlumbError>();

  silenceOf(host: string): PlumbError | undefined {
    return this.silent.get(host);
  }

  isSlow(): boolean {
    return false;
  }

  forgive(host: string): void {
    if (this.silent.delete(host)) this.tell({ type: 'host', host });
  }

  isTelling(host: string): boolean {
    return this.telling.has(host);
  }

  hosts(): Iterable<HostLive> {
    return this.all.values();
  }

  host(name: string): HostLive | undefined {
    return this.all.get(name);
  }

  *ownedBy(uid: string): Generator<{ host: string; thing: LiveThing }> {
    for (const { name, things } of this.all.values())
      for (const thing of things.values()) if (thing.owner === uid) yield { host: name, thing };
  }

  isExactly(uid: string, host: string, things: readonly LiveThing[]): boolean {
    const found = [...this.ownedBy(uid)];
    const lines = (of: readonly LiveThing[]) => of.map(thingLine).sort().join('\n');
    return found.every((f) => f.host === host) && lines(found.map((f) => f.thing)) === lines(things);
  }

  likeness(owner: string, things: readonly LiveThing[]): Likeness {
    return this.lines.likeness(owner, things);
  }

  isLike(likeness: Likeness, uid: string, host: string, words: readonly string[]): boolean {
    const found = [...this.ownedBy(uid)];
    const things = found.map(({ thing }) => thing);
    const text = this.lines.write(uid, things);
    return text !== undefined && found.every((f) => f.host === host) && likeness.is(text, words);
  }

  owned(uid: string): OwnedLive | undefined {
    return this.live.get(uid);
  }

  onChange(listener: (change: LiveChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async send(host: string, command: FleetCommand, attention: CommandAttention = {}): Promise<StepOutcome[]> {
    await Promise.resolve();
    const target = this.all.get(host);
    if (!target?.connected) throw retryable('HostNotConnected', `the agent of host ${host} is not connected`);
    this.sent.push({ host, command });
    const outcomes: StepOutcome[] = [];
    for (const { id, verb, thing } of command.steps) {
      const error = this.fault(host, verb, thing) ?? (await this.fetchOf(host, thing, attention));
      outcomes.push(error ? { step: id, error } : { step: id });
      if (error) break;
      if (verb === 'remove') this.take(host, thing);
      else this.put(host, live(thing, target.things.get(thingKey(thing))));
    }
    return outcomes;
  }

  private async fetchOf(
    host: string,
    thing: Thing,
    { signal, onProgress }: CommandAttention,
  ): Promise<PlumbError | undefined> {
    if (thing.kind !== 'image' || !this.stalled.has(thing.spec.url)) return undefined;
    onProgress?.(this.progress);
    await new Promise<void>((resolve, reject) => {
      if (signal?.aborted) resolve();
      signal?.addEventListener('abort', () => resolve(), { once: true });
      this.onChange(() => {
        if (!this.all.get(host)?.connected)
          reject(retryable('HostDisconnected', `host ${host} was lost before it answered`));
      });
    });
    return retryable('Aborted', `the fetch of image ${thing.id} was ended`);
  }

  /** Makes a thing be there without anyone having asked for it. */
  put(host: string, thing: LiveThing): void {
    const before = this.all.get(host)!.things.get(thingKey(thing));
    this.all.get(host)!.things.set(thingKey(thing), thing);
    if (before) this.count(host, before);
    this.count(host, thing);
    this.tell({ type: 'thing', host, kind: thing.kind, id: thing.id, owner: thing.owner });
  }

  take(host: string, thing: Thing): void {
    const { things } = this.all.get(host)!;
    const before = things.get(thingKey(thing));
    if (!before) return;
    things.delete(thingKey(thing));
    this.count(host, before);
    this.tell({ type: 'thing', host, kind: thing.kind, id: thing.id, owner: thing.owner });
  }

  /** Keys of everything on the host, sorted. */
  keysOn(host: string): string[] {
    return [...(this.all.get(host)?.things.keys() ?? [])].sort();
  }

  private count(host: string, { owner }: LiveThing): void {
    const version = ++this.versions;
    const at = this.all.get(host);
    if (at) at.sharedVersion = version;
    const owned = this.live.get(owner) ?? { uid: owner, version };
    const left = [...this.ownedBy(owner)].length > 0;
    owned.version = left ? version : 0;
    if (left) this.live.set(owner, owned);
    else this.live.delete(owner);
  }

  private tell(change: LiveChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

function live(thing: Thing, now: LiveThing | undefined): LiveThing {
  const base = { ...thing, drift: [] } as LiveThing;
  if (base.kind !== 'domain') return base;
  if (base.spec.power === 'Stopped') return { ...base, domain: { state: 'off', reason: 'destroyed' } };
  const runsOn =
    now?.kind === 'domain' &&
    now.domain?.state === 'running' &&
    domainChange(now.spec, base.spec, now.domain) !== 'restart';
  return { ...base, domain: runsOn ? now.domain! : bootedFacts(base.spec.cpus) };
}
