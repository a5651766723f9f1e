/** A fleet in memory for tests of controllers: hosts that obey at once, or fail as the test says. */
import { type LiveThing, type PlumbError, retryable, type Thing, thingKey } from '@plumb/schemas';
import type { Fleet, FleetCommand, HostFacts, HostLive, LiveChange, StepOutcome } from '../fleet.ts';

interface FakeHost extends HostLive {
  connected: boolean;
  things: Map<string, LiveThing>;
}

export class FakeFleet implements Fleet {
  /** Every command that was sent, in order. */
  readonly sent: { host: string; command: FleetCommand }[] = [];
  /** Asked before each step; an error makes the step fail. */
  fault: (host: string, verb: 'ensure' | 'remove', thing: Thing) => PlumbError | undefined = () => undefined;
  private readonly all = new Map<string, FakeHost>();
  private readonly listeners = new Set<(change: LiveChange) => void>();

  /** Connects the host; `carried`: what lives there, in place of what lived there when it was last seen. */
  connect(name: string, facts: Partial<HostFacts> = {}, carried?: readonly LiveThing[]): void {
    const known = this.all.get(name);
    const things: FakeHost['things'] =
      (carried && new Map(carried.map((thing) => [thingKey(thing), thing]))) ?? known?.things ?? new Map();
    const owners = () => new Set([...things.values()].map(({ owner }) => owner));
    const whole = {
      driver: 'simulated',
      agentVersion: '0',
      cpus: 8,
      memoryMiB: 16384,
      tunnelAddress: `192.0.2.${this.all.size + 1}`,
    };
    this.all.set(name, { name, connected: true, facts: { ...whole, ...facts }, things, owners });
    this.tell({ type: 'host', host: name });
  }

  disconnect(name: string): void {
    this.all.get(name)!.connected = false;
    this.tell({ type: 'host', host: name });
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

  onChange(listener: (change: LiveChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async send(host: string, command: FleetCommand): Promise<StepOutcome[]> {
    await Promise.resolve();
    const target = this.all.get(host);
    if (!target?.connected) throw retryable('HostNotConnected', `the agent of host ${host} is not connected`);
    this.sent.push({ host, command });
    const outcomes: StepOutcome[] = [];
    for (const { id, verb, thing } of command.steps) {
      const error = this.fault(host, verb, thing);
      outcomes.push(error ? { step: id, error } : { step: id });
      if (error) break;
      if (verb === 'remove') this.take(host, thing);
      else this.put(host, live(thing));
    }
    return outcomes;
  }

  /** Makes a thing be there without anyone having asked for it. */
  put(host: string, thing: LiveThing): void {
    this.all.get(host)!.things.set(thingKey(thing), thing);
    this.tell({ type: 'thing', host, kind: thing.kind, id: thing.id, owner: thing.owner });
  }

  take(host: string, thing: Thing): void {
    if (this.all.get(host)!.things.delete(thingKey(thing)))
      this.tell({ type: 'thing', host, kind: thing.kind, id: thing.id, owner: thing.owner });
  }

  /** Keys of everything on the host, sorted. */
  keysOn(host: string): string[] {
    return [...(this.all.get(host)?.things.keys() ?? [])].sort();
  }

  private tell(change: LiveChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

function live(thing: Thing): LiveThing {
  const base = { ...thing, drift: [] } as LiveThing;
  if (base.kind !== 'domain') return base;
  const running = base.spec.power === 'Running';
  return { ...base, domain: { state: running ? 'running' : 'off', reason: running ? 'booted' : 'destroyed' } };
}
