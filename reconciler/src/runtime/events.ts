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

/** One thing that happened, perhaps many times. */
export interface RecordedEvent {
  uid: string;
  name: string;
  namespace: string;
  involved: { apiVersion: string; kind: string; name: string; namespace?: string; uid: string };
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  count: number;
  /** Milliseconds since the epoch. */
  firstAt: number;
  lastAt: number;
  /** Grows with every change of any event. */
  revision: number;
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
  private readonly listeners = new Set<(event: RecordedEvent, change: 'added' | 'modified' | 'deleted') => void>();
  private sequence = 0;

  constructor({ ambient, capacity = 10_000 }: EventRingOptions) {
    this.ambient = ambient;
    this.capacity = capacity;
  }

  get revision(): number {
    return this.sequence;
  }

  record({ object, type, reason, message }: EventInput): void {
    const key = [object.metadata.uid, type, reason, message].join('\n');
    const known = this.events.get(key);
    const now = this.ambient.clock.now();
    if (known) {
      const event = { ...known, count: known.count + 1, lastAt: now, revision: ++this.sequence };
      this.events.delete(key);
      this.events.set(key, event);
      this.tell(event, 'modified');
      return;
    }
    const { name, namespace, uid } = object.metadata;
    const eventUid = this.ambient.ids.uid();
    const event: RecordedEvent = {
      uid: eventUid,
      name: `${objectName({ name })}.${eventUid.slice(0, 8)}`,
      namespace: namespace ?? 'default',
      involved: { apiVersion: object.apiVersion, kind: object.kind, name, uid, ...(namespace ? { namespace } : {}) },
      type,
      reason,
      message,
      count: 1,
      firstAt: now,
      lastAt: now,
      revision: ++this.sequence,
    };
    this.events.set(key, event);
    this.tell(event, 'added');
    const oldest = this.events.keys().next().value;
    if (this.events.size > this.capacity && oldest !== undefined) {
      const gone = this.events.get(oldest)!;
      this.events.delete(oldest);
      this.tell(gone, 'deleted');
    }
  }

  list(): RecordedEvent[] {
    return [...this.events.values()];
  }

  /** Calls `listener` for every change. Returns a function that ends it. */
  onChange(listener: (event: RecordedEvent, change: 'added' | 'modified' | 'deleted') => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(event: RecordedEvent, change: 'added' | 'modified' | 'deleted'): void {
    for (const listener of this.listeners) listener(event, change);
  }
}
