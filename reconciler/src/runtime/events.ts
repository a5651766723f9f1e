/**
 * Events: what happened to objects, for people. Kept in memory, bounded, told to watchers; never part of the truth. The server records
 * its own; clients post theirs, which have a room of their own, so that theirs push out no other.
 */
import { type Ambient, objectName, type PlumbObject } from '@plumb/schemas';
import { PostedEvents } from './posted-events.ts';

export interface EventInput {
  object: PlumbObject;
  type: 'Normal' | 'Warning';
  /** One UpperCamelCase word. */
  reason: string;
  /** A sentence; holds no secret. */
  message: string;
}

export interface EventRecorder {
  record(event: EventInput): void;
}

interface Kept {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly lastAt: number;
  /** Grows by one with every change of any event. */
  readonly revision: number;
}

/** One thing that happened, perhaps many times. Never changed: what happens again is told by another with the same uid. */
export interface RecordedEvent extends Kept {
  readonly involved: { apiVersion: string; kind: string; name: string; namespace?: string; uid: string };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
}

/** What a client said. */
export interface PostedEvent extends Kept {
  /** The object as core/v1 has it, as the object codec writes it. */
  readonly text: string;
}

export type KeptEvent = RecordedEvent | PostedEvent;

export interface EventChange {
  /** One more than that of the change before. */
  readonly revision: number;
  /** Undefined when the event is new. */
  readonly before: KeptEvent | undefined;
  /** Undefined when the event is gone: deleted, old, or to make room. */
  readonly after: KeptEvent | undefined;
}

export interface EventRingOptions {
  ambient: Ambient;
  /** How many different events are kept of the server's own; the oldest go first. */
  capacity?: number;
  /** Bytes of those that clients post. */
  postedBytes?: number;
  /** How long each is kept after it last happened. */
  keptSeconds?: number;
}

/** Says the same thing of the same object once, with a count. */
export class EventRing implements EventRecorder {
  private readonly ambient: Ambient;
  private readonly capacity: number;
  private readonly keptMs: number;
  private readonly events = new Map<string, RecordedEvent>();
  private readonly posted: PostedEvents;
  /** Goes through the events as they grow old. A new iterator would pass over all that went since the map was last rebuilt. */
  private oldest = this.events.entries();
  /** What it came to last; as long as it is still there, it is the oldest. */
  private next: readonly [string, RecordedEvent] | undefined;
  private readonly listeners = new Set<(change: EventChange) => void>();
  private sequence = 0;

  constructor({ ambient, capacity = 10_000, postedBytes = 1 << 25, keptSeconds = 86_400 }: EventRingOptions) {
    this.ambient = ambient;
    this.capacity = capacity;
    this.keptMs = keptSeconds * 1000;
    this.posted = new PostedEvents(postedBytes);
  }

  /** Of the last change. */
  get revision(): number {
    return this.sequence;
  }

  record({ object, type, reason, message }: EventInput): void {
    this.expire();
    const { name, namespace, uid } = object.metadata;
    const key = `${uid}\n${type}\n${reason}\n${message}`;
    const known = this.events.get(key);
    const now = this.ambient.clock.now();
    if (known) {
      this.events.delete(key);
      this.put(key, { ...known, count: known.count + 1, lastAt: now, revision: this.sequence + 1 }, known);
      return;
    }
    const eventUid = this.ambient.ids.uid();
    const event: RecordedEvent = {
      uid: eventUid,
      name: `${objectName({ name })}.${eventUid.slice(-8)}`,
      namespace: namespace ?? 'default',
      involved: { apiVersion: object.apiVersion, kind: object.kind, name, uid, ...(namespace ? { namespace } : {}) },
      type,
      reason,
      message,
      count: 1,
      firstAt: now,
      lastAt: now,
      revision: this.sequence + 1,
    };
    this.put(key, event, undefined);
    if (this.events.size > this.capacity) this.dropOldest();
  }

  /** What a client says, in the place of `before`. Returns its revision. */
  post(event: Pick<PostedEvent, 'uid' | 'name' | 'namespace' | 'text'>, before: KeptEvent | undefined): number {
    this.forget(before);
    const after = { ...event, lastAt: this.ambient.clock.now(), revision: this.sequence + 1 };
    const pushedOut = this.posted.put(after);
    this.tell(before, after);
    for (const one of pushedOut) this.tell(one, undefined);
    return after.revision;
  }

  /** Returns the revision from which on it is gone. */
  remove(event: KeptEvent): number {
    this.forget(event);
    this.tell(event, undefined);
    return this.sequence;
  }

  list(): KeptEvent[] {
    return [...this.events.values(), ...this.posted.list()];
  }

  /** Lets go of what is too old. */
  expire(): void {
    const until = this.ambient.clock.now() - this.keptMs;
    for (const event of this.posted.expire(until)) this.tell(event, undefined);
    while (this.peek() !== undefined && this.peek()!.lastAt < until) this.dropOldest();
  }

  /** Calls `listener` for every change. Returns a function that ends it. */
  onChange(listener: (change: EventChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private forget(event: KeptEvent | undefined): void {
    if (event === undefined) return;
    if ('text' in event) this.posted.remove(event);
    else this.events.delete(`${event.involved.uid}\n${event.type}\n${event.reason}\n${event.message}`);
  }

  private put(key: string, after: RecordedEvent, before: RecordedEvent | undefined): void {
    this.events.set(key, after);
    this.tell(before, after);
  }

  /** The event that happened last longest ago. */
  private peek(): RecordedEvent | undefined {
    while (this.next === undefined || this.events.get(this.next[0]) !== this.next[1]) {
      if (this.events.size === 0) return undefined;
      const step = this.oldest.next();
      if (step.done) this.oldest = this.events.entries();
      else this.next = step.value;
    }
    return this.next[1];
  }

  private dropOldest(): void {
    const before = this.peek();
    if (before === undefined) return;
    this.events.delete(this.next![0]);
    this.next = undefined;
    this.tell(before, undefined);
  }

  private tell(before: KeptEvent | undefined, after: KeptEvent | undefined): void {
    const revision = ++this.sequence;
    for (const listener of this.listeners) listener({ revision, before, after });
  }
}
