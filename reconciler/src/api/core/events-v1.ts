/** events.k8s.io/v1 Event: the same events as in core/v1, under the names that this group gives their fields. */
import { eventsEvent, inCoreGroup, inEventsGroup } from '@plumb/schemas/kinds/builtin/event.ts';
import type { Batch, Change, Committed, Entry, Op, Store, WatchBatch } from '../../store/store.ts';
import { resourceOfKind, type WritableResource } from '../resource.ts';
import { completed, eventResource } from './event.ts';

/** `store`: holds core/v1 Events, as event-entries.ts makes them. */
export function eventsV1Resource(store: Store): WritableResource {
  const core = eventResource(store);
  return {
    ...resourceOfKind(eventsEvent, new EventsV1(store)),
    ...completed,
    // There it is the same kind inside.
    invalidGroup: '',
    table: { ...core.table, row: (object, now) => core.table.row(asCore(object), now) },
    selectable: Object.fromEntries(
      Object.entries(core.selectable).map(([field, read]) => [
        field.replace('involvedObject.', 'regarding.').replace('reportingComponent', 'reportingController'),
        (object: unknown) => read(asCore(object)),
      ]),
    ),
  };
}

class EventsV1 implements Store {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.#store.get(key);
    return entry && { ...entry, value: renamed(entry.value) };
  }

  async list(...asked: Parameters<Store['list']>) {
    const result = await this.#store.list(...asked);
    return { ...result, entries: result.entries.map((entry) => ({ ...entry, value: renamed(entry.value) })) };
  }

  async *watch(...asked: Parameters<Store['watch']>): AsyncGenerator<WatchBatch> {
    const text = (value: string | undefined) => (value === undefined ? undefined : renamed(value));
    const change = ({ key, value, previous }: Change): Change => ({
      key,
      value: text(value),
      previous: text(previous),
    });
    for await (const batch of this.#store.watch(...asked)) yield { ...batch, changes: batch.changes.map(change) };
  }

  commit({ preconditions, ops }: Batch): Promise<Committed> {
    const inCore = (op: Op): Op =>
      op.type === 'put' ? { ...op, value: JSON.stringify(inCoreGroup(JSON.parse(op.value))) } : op;
    return this.#store.commit({ preconditions, ops: ops.map(inCore) });
  }

  revision(): number {
    return this.#store.revision();
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Begins with apiVersion, kind and metadata, as the object codec expects. Of a namespace it is what it was. */
function renamed(text: string): string {
  const object = JSON.parse(text) as Record<string, unknown>;
  return object.kind === 'Event' ? JSON.stringify(inEventsGroup(object)) : text;
}

function asCore(object: unknown): object {
  return inCoreGroup(object as Record<string, unknown>);
}
