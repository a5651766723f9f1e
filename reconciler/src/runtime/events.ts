/** Events: what happened to objects, for people. Kept in memory, bounded, told to watchers; never part of the truth. */
import { type Ambient, objectName, type PlumbObject } from '@plumb/schemas';

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

/** One thing that happened, perhaps many times. Never changed: what happens again is told by another with the same uid. */
export interface RecordedEvent {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly involved: { apiVersion: string; kind: string; name: string; namespace?: string; uid: string };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Grows by one with every change of any event. */
  readonly revision: number;
}

export interface EventChange {
  /** One more than that of the change before. */
  readonly revision: number;
  /** Undefined when the event is new. */
  readonly before: RecordedEvent | undefined;
  /** Undefined when the event went to make room. */
  readonly after: RecordedEvent | undefined;
}

export interface EventRingOptions {
  ambient: Ambient;
  /** How many different events are kept; the oldest go first. */
  capacity?: number;
}

/** Says the same thing of the same object once, with a count. */
export class EventRing implements EventRecorder {
  private readonly ambient: Ambient;
  private readonly capacity: number;
  private readonly events = new Map<string, RecordedEvent>();
  /** Goes through the events as they grow old. A new iterator would pass over all that went since the map was last rebuilt. */
  private readonly oldest = this.events.keys();
  private readonly listeners = new Set<(change: EventChange) => void>();
  private sequence = 0;

  constructor({ ambient, capacity = 10_000 }: EventRingOptions) {
    this.ambient = ambient;
    this.capacity = capacity;
  }

  /** Of the last change. */
  get revision(): number {
    return this.sequence;
  }

  record({ object, type, reason, message }: EventInput): void {
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

  list(): RecordedEvent[] {
    return [...this.events.values()];
  }

  /** Calls `listener` for every change. Returns a function that ends it. */
  onChange(listener: (change: EventChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private put(key: string, after: RecordedEvent, before: RecordedEvent | undefined): void {
    this.events.set(key, after);
    this.tell(before, after);
  }

  private dropOldest(): void {
    const key = this.oldest.next().value;
    const before = key === undefined ? undefined : this.events.get(key);
    if (key === undefined || before === undefined) return;
    this.events.delete(key);
    this.tell(before, undefined);
  }

  private tell(before: RecordedEvent | undefined, after: RecordedEvent | undefined): void {
    const revision = ++this.sequence;
    for (const listener of this.listeners) listener({ revision, before, after });
  }
}
