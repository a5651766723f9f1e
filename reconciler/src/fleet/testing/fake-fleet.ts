/** A fleet in memory for tests of controllers: hosts that obey at once, or fail as the test says. */
import {
  bootedFacts,
  domainChange,
  type HostResource,
  type LiveResource,
  type OpaqueResource,
  type PlumbError,
  resourceKey,
  resourceTypes,
  retryable,
} from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { resourceLine } from '@plumb/schemas/wire/resource-line.ts';
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
  resources: Map<string, LiveResource>;
  sharedVersion: number;
  troubles: readonly HostTrouble[];
  opaque: Map<string, OpaqueResource>;
}

/** What versions are counted of, in a fleet where every change is one. */
interface FakeOwned extends OwnedLive {
  version: number;
}

export class FakeFleet implements Fleet {
  /** Every command that was sent, in order. */
  readonly sent: { host: string; command: FleetCommand }[] = [];
  /** Asked before each step; an error makes the step fail. */
  fault: (host: string, verb: 'ensure' | 'remove', resource: HostResource) => PlumbError | undefined = () => undefined;
  /** URLs of images of which a fetch brings nothing, until it is given up. */
  readonly stalled = new Set<string>();
  /** Told of those fetches as they are joined. */
  progress: { bytes: number; ofBytes: number | undefined } = { bytes: 0, ofBytes: undefined };
  /** Hosts that are connected and answer nothing, until they are lost or taken out. */
  readonly hung = new Set<string>();
  /** Hosts of which a command was given up, in order. */
  readonly cancelled: string[] = [];
  private readonly hanging = new Map<string, Set<CommandAttention>>();
  crowded = false;
  /** Hosts that were let in and have not told everything. */
  readonly telling = new Set<string>();
  private readonly all = new Map<string, FakeHost>();
  private readonly live = new Map<string, FakeOwned>();
  private readonly lines = new ShortLines();
  private versions = 0;
  private readonly listeners = new Set<(change: LiveChange) => void>();

  /** Connects the host; `carried`: what lives there, in place of what lived there when it was last seen. */
  /** By host, the types of resources that its agent does not handle when it connects. */
  readonly lacking = new Map<string, readonly string[]>();

  connect(name: string, facts: Partial<HostFacts> = {}, carried?: readonly LiveResource[]): void {
    const known = this.all.get(name);
    if (known) known.connected = false;
    const resources: FakeHost['resources'] =
      (carried && new Map(carried.map((resource) => [resourceKey(resource), resource]))) ??
      known?.resources ??
      new Map();
    const owners = () => new Set([...resources.values()].map(({ owner }) => owner));
    const whole = {
      driver: 'simulated',
      agentVersion: '0',
      cpus: 8,
      memoryMiB: 16384,
      tunnelAddress: `192.0.2.${this.all.size + 1}`,
      streamAddress: facts.tunnelAddress ?? `192.0.2.${this.all.size + 1}`,
    };
    const sharers = () => {
      const shared = [...resources.values()].filter(({ kind }) => resourceTypes.isShared(kind));
      return new Set(shared.map(({ owner }) => owner));
    };
    for (const resource of [...(known?.resources.values() ?? []), ...resources.values()]) this.count(name, resource);
    const sharedVersion = ++this.versions;
    this.all.set(name, {
      name,
      connected: true,
      facts: { ...whole, ...facts },
      resources,
      owners,
      sharers,
      sharedVersion,
      troubles: [],
      opaque: known?.opaque ?? new Map(),
      lacks: this.lacking.get(name) ?? [],
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

  /** What lives on the host of types that are not known here. */
  findOpaque(name: string, ...resources: OpaqueResource[]): void {
    this.all.get(name)!.opaque = new Map(resources.map((resource) => [resourceKey(resource), resource]));
    this.tell({ type: 'host', host: name });
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

  *ownedBy(uid: string): Generator<{ host: string; resource: LiveResource }> {
    for (const { name, resources } of this.all.values())
      for (const resource of resources.values()) if (resource.owner === uid) yield { host: name, resource };
  }

  isExactly(uid: string, host: string, resources: readonly LiveResource[]): boolean {
    const found = [...this.ownedBy(uid)];
    const lines = (of: readonly LiveResource[]) => of.map(resourceLine).sort().join('\n');
    return found.every((f) => f.host === host) && lines(found.map((f) => f.resource)) === lines(resources);
  }

  likeness(owner: string, resources: readonly LiveResource[]): Likeness {
    return this.lines.likeness(owner, resources);
  }

  isLike(likeness: Likeness, uid: string, host: string, words: readonly string[]): boolean {
    const found = [...this.ownedBy(uid)];
    const resources = found.map(({ resource }) => resource);
    const text = this.lines.write(uid, resources);
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
    if (this.hung.has(host)) await this.hang(host, attention);
    const outcomes: StepOutcome[] = [];
    for (const { id, verb, resource } of command.steps) {
      const error = this.fault(host, verb, resource) ?? (await this.fetchOf(host, resource, attention));
      outcomes.push(error ? { step: id, error } : { step: id });
      if (error) break;
      if (!resourceTypes.has(resource.kind)) target.opaque.delete(resourceKey(resource));
      else if (verb === 'remove') this.take(host, resource);
      else this.put(host, live(resource, target.resources.get(resourceKey(resource))));
    }
    return outcomes;
  }

  /** What a hung host says of its commands. */
  tellProgress(host: string, progress: { bytes: number; ofBytes: number | undefined }): void {
    for (const { onProgress } of this.hanging.get(host) ?? []) onProgress?.(progress);
  }

  /** The host answers what it was asked. */
  answer(host: string): void {
    this.hung.delete(host);
    this.tell({ type: 'host', host });
  }

  private async hang(host: string, attention: CommandAttention): Promise<void> {
    const hanging = this.hanging.get(host) ?? new Set();
    this.hanging.set(host, hanging.add(attention));
    attention.signal?.addEventListener('abort', () => this.cancelled.push(host), { once: true });
    await new Promise<void>((resolve, reject) => {
      const end = this.onChange(() => {
        const isLost = !this.all.get(host)?.connected;
        if (!isLost && this.hung.has(host)) return;
        end();
        if (isLost) reject(retryable('HostDisconnected', `host ${host} was lost before it answered`));
        else resolve();
      });
    });
    hanging.delete(attention);
  }

  private async fetchOf(
    host: string,
    resource: HostResource,
    { signal, onProgress }: CommandAttention,
  ): Promise<PlumbError | undefined> {
    if (resource.kind !== 'image' || !this.stalled.has(resource.spec.url)) return undefined;
    onProgress?.(this.progress);
    await new Promise<void>((resolve, reject) => {
      if (signal?.aborted) resolve();
      signal?.addEventListener('abort', () => resolve(), { once: true });
      this.onChange(() => {
        if (!this.all.get(host)?.connected)
          reject(retryable('HostDisconnected', `host ${host} was lost before it answered`));
      });
    });
    return retryable('Aborted', `the fetch of image ${resource.id} was ended`);
  }

  /** Makes a resource be there without anyone having asked for it. */
  put(host: string, resource: LiveResource): void {
    const before = this.all.get(host)!.resources.get(resourceKey(resource));
    this.all.get(host)!.resources.set(resourceKey(resource), resource);
    if (before) this.count(host, before);
    this.count(host, resource);
    this.tell({ type: 'resource', host, kind: resource.kind, id: resource.id, owner: resource.owner });
  }

  take(host: string, resource: HostResource): void {
    const { resources } = this.all.get(host)!;
    const before = resources.get(resourceKey(resource));
    if (!before) return;
    resources.delete(resourceKey(resource));
    this.count(host, before);
    this.tell({ type: 'resource', host, kind: resource.kind, id: resource.id, owner: resource.owner });
  }

  /** Keys of everything on the host, sorted. */
  keysOn(host: string): string[] {
    return [...(this.all.get(host)?.resources.keys() ?? [])].sort();
  }

  private count(host: string, { owner }: LiveResource): void {
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

function live(resource: HostResource, now: LiveResource | undefined): LiveResource {
  const base = { ...resource, drift: [] } as LiveResource;
  if (base.kind !== 'domain') return base;
  if (base.spec.power === 'Stopped') return { ...base, domain: { state: 'off', reason: 'destroyed' } };
  const runsOn =
    now?.kind === 'domain' &&
    now.domain?.state === 'running' &&
    domainChange(now.spec, base.spec, now.domain) !== 'restart';
  return { ...base, domain: runsOn ? now.domain! : bootedFacts(base.spec.cpus) };
}
