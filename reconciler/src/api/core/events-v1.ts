/** events.k8s.io/v1 Event: the same events as in core/v1, under the names that this group gives their fields. Read only. */
import type { Change, Entry, ReadableStore, WatchBatch } from '../../store/store.ts';
import type { Resource } from '../resource.ts';
import { eventResource } from './event.ts';

const GROUP = 'events.k8s.io';

interface CoreEvent {
  metadata: object;
  involvedObject: object;
  reason: string;
  message: string;
  source: object;
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
  type: string;
  reportingComponent: string;
  reportingInstance: string;
}

/** `store`: holds core/v1 Events, as event-entries.ts makes them. */
export function eventsV1Resource(store: ReadableStore): Resource {
  const core = eventResource(store);
  return {
    ...core,
    group: GROUP,
    apiVersion: `${GROUP}/v1`,
    store: new EventsV1(store),
    table: { ...core.table, row: (object, now) => core.table.row(asCore(object), now) },
    selectable: Object.fromEntries(
      Object.entries(core.selectable).map(([field, read]) => [
        field.replace('involvedObject.', 'regarding.'),
        (object: unknown) => read(asCore(object)),
      ]),
    ),
  };
}

class EventsV1 implements ReadableStore {
  readonly #store: ReadableStore;

  constructor(store: ReadableStore) {
    this.#store = store;
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.#store.get(key);
    return entry && { ...entry, value: renamed(entry.value) };
  }

  async list(...asked: Parameters<ReadableStore['list']>) {
    const result = await this.#store.list(...asked);
    return { ...result, entries: result.entries.map((entry) => ({ ...entry, value: renamed(entry.value) })) };
  }

  async *watch(...asked: Parameters<ReadableStore['watch']>): AsyncGenerator<WatchBatch> {
    const text = (value: string | undefined) => (value === undefined ? undefined : renamed(value));
    const change = ({ key, value, previous }: Change): Change => ({
      key,
      value: text(value),
      previous: text(previous),
    });
    for await (const batch of this.#store.watch(...asked)) yield { ...batch, changes: batch.changes.map(change) };
  }

  revision(): number {
    return this.#store.revision();
  }
}

/** Begins with apiVersion, kind and metadata, as the object codec expects. */
function renamed(text: string): string {
  const event = JSON.parse(text) as CoreEvent;
  return JSON.stringify({
    apiVersion: `${GROUP}/v1`,
    kind: 'Event',
    metadata: event.metadata,
    eventTime: null,
    reportingController: event.reportingComponent,
    reportingInstance: event.reportingInstance,
    reason: event.reason,
    regarding: event.involvedObject,
    note: event.message,
    type: event.type,
    deprecatedSource: event.source,
    deprecatedFirstTimestamp: event.firstTimestamp,
    deprecatedLastTimestamp: event.lastTimestamp,
    deprecatedCount: event.count,
  });
}

function asCore(object: unknown): object {
  const event = object as Record<string, unknown>;
  return {
    ...event,
    involvedObject: event.regarding ?? {},
    message: event.note,
    lastTimestamp: event.deprecatedLastTimestamp,
    count: event.deprecatedCount,
  };
}
