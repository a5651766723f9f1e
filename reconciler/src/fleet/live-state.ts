import type { LiveThing, ThingKind } from '@plumb/schemas';
import { thingKey } from '@plumb/schemas';
import type { HostFacts, HostLive, LiveChange } from './fleet.ts';

/** What is known of one host. */
export class LiveHost implements HostLive {
  readonly name: string;
  connected = false;
  facts: HostFacts;
  things = new Map<string, LiveThing>();

  constructor(name: string, facts: HostFacts) {
    this.name = name;
    this.facts = facts;
  }
}

/** Everything that is known to live on hosts, and for which object. In memory only: the agents tell it again. */
export class LiveState {
  readonly #hosts = new Map<string, LiveHost>();
  /** Object uid → `host/kind/id` → what lives there. */
  readonly #owned = new Map<string, Map<string, { host: string; thing: LiveThing }>>();

  hosts(): Iterable<LiveHost> {
    return this.#hosts.values();
  }

  host(name: string): LiveHost | undefined {
    return this.#hosts.get(name);
  }

  ownedBy(uid: string): Iterable<{ host: string; thing: LiveThing }> {
    return this.#owned.get(uid)?.values() ?? [];
  }

  /** The host with these facts; what was known to live there is kept until it reports. */
  meet(name: string, facts: HostFacts): LiveHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = new LiveHost(name, facts);
      this.#hosts.set(name, host);
    }
    host.facts = facts;
    return host;
  }

  /** The whole state of a host takes the place of what was known. */
  replace(host: LiveHost, things: readonly LiveThing[]): LiveChange {
    for (const thing of host.things.values()) this.#disown(host, thing);
    host.things = new Map();
    for (const thing of things) this.put(host, thing);
    return { type: 'host', host: host.name };
  }

  put(host: LiveHost, thing: LiveThing): LiveChange {
    const key = thingKey(thing);
    const before = host.things.get(key);
    if (before !== undefined && before.owner !== thing.owner) this.#disown(host, before);
    host.things.set(key, thing);
    let owned = this.#owned.get(thing.owner);
    if (owned === undefined) {
      owned = new Map();
      this.#owned.set(thing.owner, owned);
    }
    owned.set(`${host.name}/${key}`, { host: host.name, thing });
    return changeOf(host, thing);
  }

  /** Undefined when it was not known to be there. */
  remove(host: LiveHost, ref: { kind: string; id: string }): LiveChange | undefined {
    const key = thingKey(ref as { kind: ThingKind; id: string });
    const thing = host.things.get(key);
    if (thing === undefined) return undefined;
    host.things.delete(key);
    this.#disown(host, thing);
    return changeOf(host, thing);
  }

  /** Nothing is known of the host any more. */
  forget(name: string): void {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    this.replace(host, []);
    this.#hosts.delete(name);
  }

  #disown(host: LiveHost, thing: LiveThing): void {
    const owned = this.#owned.get(thing.owner);
    owned?.delete(`${host.name}/${thingKey(thing)}`);
    if (owned?.size === 0) this.#owned.delete(thing.owner);
  }
}

function changeOf(host: LiveHost, { kind, id, owner }: LiveThing): LiveChange {
  return { type: 'thing', host: host.name, kind, id, owner };
}
