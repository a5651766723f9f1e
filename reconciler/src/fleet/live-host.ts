import type { LiveResource, OpaqueResource, ResourceType } from '@plumb/schemas';
import { resourceKey, resourceTypes } from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import type { HostFacts, HostLive, LiveResources, OwnedLive } from './fleet.ts';

/** An object for which something lives on hosts. */
export interface Owned extends OwnedLive {
  version: number;
  /** Most objects are on one host: they need no set. */
  on: LiveHost | Set<LiveHost> | undefined;
  /** What is alike on several hosts is kept once, by its text. */
  alike: Map<string, Alike> | undefined;
}

/** A text that hosts share, and what it says, when it was asked for. */
export interface Alike {
  readonly text: string;
  hosts: number;
  resources: readonly LiveResource[] | undefined;
}

/** Where a host finds what it holds as text. */
export interface Reader {
  find(host: LiveHost, ref: { kind: ResourceType; id: string }): LiveResource | undefined;
  has(host: LiveHost, ref: { kind: ResourceType; id: string }): boolean;
  read(owned: Owned, text: string): readonly LiveResource[];
}

/** Of nearly all hosts. */
export const NO_TROUBLES: readonly HostTrouble[] = [];

/** Of nearly all hosts. */
export const NOTHING_OPAQUE: ReadonlyMap<string, OpaqueResource> = new Map();

/** Of nearly all hosts. */
const NOTHING_LACKS: readonly string[] = [];

/** Those of the types that are known here which an agent does not handle that handles these. */
export function lackingOf(handled: readonly string[]): readonly string[] {
  const lacking = resourceTypes.types.filter((type) => !handled.includes(type));
  return lacking.length === 0 ? NOTHING_LACKS : lacking;
}

/** What is known of one host. There are tens of thousands of them: what can be worked out is not kept. */
export class LiveHost implements HostLive {
  readonly name: string;
  connected = false;
  /** Whether it ever said everything that lives there. */
  reported = false;
  facts: HostFacts;
  lacks = NOTHING_LACKS;
  troubles: readonly HostTrouble[] = NO_TROUBLES;
  /** What lives here for each object, as ShortLines writes it. */
  readonly texts = new Map<Owned, string>();
  /** How many resources they say, and how long they are in all. */
  resourceCount = 0;
  bytes = 0;
  /** Of resources whose id does not begin with the uid of their owner, by resourceKey: the owner. */
  strays: Map<string, Owned> | undefined;
  opaque: ReadonlyMap<string, OpaqueResource> = NOTHING_OPAQUE;
  /** Another after each change of what lives here. */
  version = 0;
  /** Another after each change of an image, a bridge or a subnet here. */
  sharedVersion = 0;
  readonly #reader: Reader;

  constructor(name: string, facts: HostFacts, reader: Reader) {
    this.name = name;
    this.facts = facts;
    this.#reader = reader;
  }

  get resources(): LiveResources {
    return new ResourcesOn(this, this.#reader);
  }

  *owners(): Generator<string> {
    for (const { uid } of this.texts.keys()) yield uid;
  }

  *sharers(): Generator<string> {
    for (const [{ uid }, text] of this.texts) if (isShared(text)) yield uid;
  }
}

/** What is shared comes first in the order of making, and texts are sorted. */
export function isShared(text: string | undefined): boolean {
  return text !== undefined && resourceTypes.isSharedLetter(text[0]!);
}

/** The uid with which an id begins. */
export function uidIn(id: string): string {
  const dot = id.indexOf('.');
  return dot < 0 ? id : id.slice(0, dot);
}

/** Whether the id does not begin with the uid of its owner. */
export function isStray({ id, owner }: LiveResource): boolean {
  return uidIn(id) !== owner;
}

class ResourcesOn implements LiveResources {
  readonly #host: LiveHost;
  readonly #reader: Reader;

  constructor(host: LiveHost, reader: Reader) {
    this.#host = host;
    this.#reader = reader;
  }

  get size(): number {
    return this.#host.resourceCount;
  }

  get(key: string): LiveResource | undefined {
    return this.#reader.find(this.#host, refOf(key));
  }

  has(key: string): boolean {
    return this.#reader.has(this.#host, refOf(key));
  }

  *keys(): Generator<string> {
    for (const resource of this.values()) yield resourceKey(resource);
  }

  *values(): Generator<LiveResource> {
    for (const [owned, text] of [...this.#host.texts]) yield* this.#reader.read(owned, text);
  }
}

/** What `resourceKey` was made of. */
function refOf(key: string): { kind: ResourceType; id: string } {
  const slash = key.indexOf('/');
  return { kind: key.slice(0, slash) as ResourceType, id: key.slice(slash + 1) };
}
