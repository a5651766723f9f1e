import type { LiveResource, OpaqueResource, ResourceType } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import { liveDigest } from '@plumb/schemas/wire/resource-line.ts';
import type { HostFacts, LiveChange } from './fleet.ts';
import type { Likeness } from './likeness.ts';
import { isShared, isStray, LiveHost, NOTHING_OPAQUE, type Owned, uidIn } from './live-host.ts';
import { linesIn, ShortLines } from './short-lines.ts';
import { SnapshotParts, withAll } from './snapshot-parts.ts';

const NOTHING = [] as const;

type Ref = { kind: ResourceType; id: string };

/** Everything that is known to live on hosts, and for which object. In memory only: the agents tell it again. */
export class LiveState {
  readonly #hosts = new Map<string, LiveHost>();
  readonly #owned = new Map<string, Owned>();
  readonly #lines: ShortLines;
  #versions = 0;
  /** What was read last: what one object has on its host is asked for several times in a row. */
  #lastRead: { owned: Owned; text: string; resources: readonly LiveResource[] } | undefined;

  /** `wordsPerHost`: long words that one host adds to those that are kept once for all; cf. ShortLines. */
  constructor(wordsPerHost?: number) {
    this.#lines = new ShortLines(wordsPerHost);
  }

  hosts(): Iterable<LiveHost> {
    return this.#hosts.values();
  }

  host(name: string): LiveHost | undefined {
    return this.#hosts.get(name);
  }

  /** The object, if anything lives for it. */
  owned(uid: string): Owned | undefined {
    return this.#owned.get(uid);
  }

  ownedBy(uid: string): readonly { host: string; resource: LiveResource }[] {
    const owned = this.#owned.get(uid);
    if (owned === undefined) return NOTHING;
    const found: { host: string; resource: LiveResource }[] = [];
    for (const host of hostsOf(owned)) {
      const text = host.texts.get(owned);
      if (text !== undefined) for (const resource of this.read(owned, text)) found.push({ host: host.name, resource });
    }
    return found;
  }

  /** Whether exactly these resources live for the object, all of them on this host and as they were made. */
  isExactly(uid: string, host: string, resources: readonly LiveResource[]): boolean {
    const text = this.#onlyOn(uid, host);
    return text !== undefined && this.#lines.says(uid, text, resources);
  }

  likeness(owner: string, resources: readonly LiveResource[]): Likeness {
    return this.#lines.likeness(owner, resources);
  }

  isLike(likeness: Likeness, uid: string, host: string, words: readonly string[]): boolean {
    const text = this.#onlyOn(uid, host);
    return text !== undefined && likeness.is(text, words);
  }

  /** What lives for the object, if it is all on this host. */
  #onlyOn(uid: string, host: string): string | undefined {
    const owned = this.#owned.get(uid);
    const on = owned?.on;
    return owned !== undefined && on instanceof LiveHost && on.name === host ? on.texts.get(owned) : undefined;
  }

  /** What `liveDigest` of schemas says of everything on the host. */
  digestOf(host: LiveHost): string {
    const lines: string[] = [];
    for (const [owned, text] of host.texts) lines.push(...this.#lines.lines(owned.uid, text));
    return liveDigest(lines);
  }

  /** The host with these facts; what was known to live there is kept until it reports. */
  meet(name: string, facts: HostFacts): LiveHost {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      host = new LiveHost(name, facts, this);
      this.#hosts.set(name, host);
    }
    host.facts = facts;
    return host;
  }

  /** The whole state of a host takes the place of what was known. */
  replace(host: LiveHost, resources: readonly LiveResource[]): LiveChange {
    const parts = this.parts(host);
    parts.add(resources);
    return this.replaceByParts(host, parts);
  }

  /** What the whole state of the host is gathered in, when it comes in parts. */
  parts(host: LiveHost): SnapshotParts {
    return new SnapshotParts(this.#lines, host);
  }

  replaceByParts(host: LiveHost, { texts, strays, opaque }: SnapshotParts): LiveChange {
    this.#keepOpaque(host, opaque);
    host.strays = undefined;
    for (const owned of [...host.texts.keys()]) if (!texts.has(owned.uid)) this.#keep(host, owned, undefined);
    for (const [uid, text] of texts) {
      this.#keep(host, this.#meetOwned(uid), text);
    }
    for (const [key, uid] of strays) noteStray(host, key, this.#owned.get(uid)!);
    return { type: 'host', host: host.name };
  }

  put(host: LiveHost, resource: LiveResource): LiveChange {
    return this.putAll(host, [resource])[0]!;
  }

  /** As {@link put} one after the other. What one owner has is written once for all that follow each other. */
  putAll(host: LiveHost, resources: readonly LiveResource[]): LiveChange[] {
    const changes: LiveChange[] = [];
    for (let from = 0; from < resources.length; ) {
      const { owner } = resources[from]!;
      let until = from + 1;
      while (resources[until]?.owner === owner) until++;
      const own = resources.slice(from, until);
      for (const resource of own) {
        const before = this.#holder(host, resource);
        if (before !== undefined && before.uid !== owner) this.#drop(host, before, resource);
      }
      const owned = this.#meetOwned(owner);
      this.#keep(host, owned, this.#lines.with(owner, host.texts.get(owned), own, host));
      for (const resource of own) if (isStray(resource)) noteStray(host, resourceKey(resource), owned);
      for (const resource of own) changes.push(changeOf(host, resource, owned));
      from = until;
    }
    return changes;
  }

  /** Resources of types that are not known here. */
  putOpaque(host: LiveHost, resources: readonly OpaqueResource[]): LiveChange[] {
    const news = resources.filter((each) => host.opaque.get(resourceKey(each))?.owner !== each.owner);
    if (news.length === 0) return [];
    this.#keepOpaque(host, withAll(host.opaque, news));
    return [{ type: 'host', host: host.name }];
  }

  /** How long the text is that says what the owner has on the host: what a change of it costs. */
  bytesOf(host: LiveHost, owner: string): number {
    return this.#textOf(host, owner)?.length ?? 0;
  }

  /** How many resources the owner has on the host. */
  resourcesOf(host: LiveHost, owner: string): number {
    const text = this.#textOf(host, owner);
    return text === undefined ? 0 : linesIn(text);
  }

  #textOf(host: LiveHost, owner: string): string | undefined {
    const owned = this.#owned.get(owner);
    return owned && host.texts.get(owned);
  }

  /** Undefined when it was not known to be there. */
  remove(host: LiveHost, ref: { kind: string; id: string }): LiveChange | undefined {
    const key = resourceKey(ref);
    if (host.opaque.has(key)) {
      this.#keepOpaque(host, new Map([...host.opaque].filter(([other]) => other !== key)));
      return { type: 'host', host: host.name };
    }
    const owned = this.#holder(host, ref as Ref);
    if (owned === undefined) return undefined;
    this.#drop(host, owned, ref as Ref);
    return changeOf(host, ref as Ref, owned);
  }

  /** Nothing is known of the host any more. */
  forget(name: string): void {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    this.replace(host, []);
    host.connected = false;
    this.#hosts.delete(name);
  }

  find(host: LiveHost, ref: Ref): LiveResource | undefined {
    const owned = this.#holder(host, ref);
    return owned && find(this.read(owned, host.texts.get(owned)!), ref);
  }

  has(host: LiveHost, ref: Ref): boolean {
    return this.#holder(host, ref) !== undefined;
  }

  read(owned: Owned, text: string): readonly LiveResource[] {
    const alike = owned.alike?.get(text);
    if (alike !== undefined && alike.hosts > 1) {
      alike.resources ??= this.#lines.read(owned.uid, text);
      return alike.resources;
    }
    if (this.#lastRead?.owned === owned && this.#lastRead.text === text) return this.#lastRead.resources;
    const resources = this.#lines.read(owned.uid, text);
    this.#lastRead = { owned, text, resources };
    return resources;
  }

  /** For which object the resource lives on the host. Ids begin with the uid of the object; those of images do not. */
  #holder(host: LiveHost, ref: Ref): Owned | undefined {
    const likely = this.#owned.get(uidIn(ref.id));
    if (likely !== undefined && this.#has(host, likely, ref)) return likely;
    return host.strays?.get(resourceKey(ref));
  }

  #has(host: LiveHost, owned: Owned, ref: Ref): boolean {
    const text = host.texts.get(owned);
    if (text === undefined) return false;
    const read = owned.alike?.get(text)?.resources;
    return read ? find(read, ref) !== undefined : this.#lines.has(owned.uid, text, ref);
  }

  #drop(host: LiveHost, owned: Owned, ref: Ref): void {
    host.strays?.delete(resourceKey(ref));
    this.#keep(host, owned, this.#lines.without(owned.uid, host.texts.get(owned)!, ref, host));
  }

  #keepOpaque(host: LiveHost, opaque: ReadonlyMap<string, OpaqueResource>): void {
    if (opaque.size === 0 && host.opaque.size === 0) return;
    host.opaque = opaque.size === 0 ? NOTHING_OPAQUE : opaque;
    this.#versions += 1;
    host.version = this.#versions;
  }

  #meetOwned(uid: string): Owned {
    let owned = this.#owned.get(uid);
    if (owned === undefined) {
      owned = { uid, version: 0, on: undefined, alike: undefined };
      this.#owned.set(uid, owned);
    }
    return owned;
  }

  /** The one place that changes what is known. What is the same as before is no change. */
  #keep(host: LiveHost, owned: Owned, text: string | undefined): void {
    const before = host.texts.get(owned);
    if (before === text) return;
    host.bytes += (text?.length ?? 0) - (before?.length ?? 0);
    host.resourceCount += (text === undefined ? 0 : linesIn(text)) - (before === undefined ? 0 : linesIn(before));
    if (before !== undefined) unshare(owned, before);
    if (text === undefined) {
      host.texts.delete(owned);
      takeOff(owned, host);
    } else {
      host.texts.set(owned, isShared(text) ? share(owned, text) : text);
      if (before === undefined) putOn(owned, host);
    }
    this.#versions += 1;
    owned.version = this.#versions;
    host.version = this.#versions;
    if (isShared(before) || isShared(text)) host.sharedVersion = this.#versions;
    if (owned.on !== undefined) return;
    owned.version = 0;
    this.#owned.delete(owned.uid);
  }
}

function changeOf(host: LiveHost, { kind, id }: Ref, { uid }: Owned): LiveChange {
  return { type: 'resource', host: host.name, kind, id, owner: uid };
}

function find(resources: readonly LiveResource[], ref: Ref): LiveResource | undefined {
  return resources.find(({ kind, id }) => kind === ref.kind && id === ref.id);
}

function noteStray(host: LiveHost, key: string, owned: Owned): void {
  host.strays ??= new Map();
  host.strays.set(key, owned);
}

function share(owned: Owned, text: string): string {
  owned.alike ??= new Map();
  const alike = owned.alike.get(text);
  if (alike === undefined) {
    owned.alike.set(text, { text, hosts: 1, resources: undefined });
    return text;
  }
  alike.hosts += 1;
  return alike.text;
}

function unshare(owned: Owned, text: string): void {
  const alike = owned.alike?.get(text);
  if (alike === undefined) return;
  alike.hosts -= 1;
  if (alike.hosts === 0) owned.alike!.delete(text);
}

function hostsOf({ on }: Owned): Iterable<LiveHost> {
  if (on === undefined) return [];
  return on instanceof Set ? [...on] : [on];
}

function putOn(owned: Owned, host: LiveHost): void {
  if (owned.on === undefined) owned.on = host;
  else if (owned.on instanceof Set) owned.on.add(host);
  else owned.on = new Set([owned.on, host]);
}

function takeOff(owned: Owned, host: LiveHost): void {
  if (owned.on === host) owned.on = undefined;
  else if (owned.on instanceof Set) {
    owned.on.delete(host);
    if (owned.on.size === 1) [owned.on] = owned.on;
  }
}
