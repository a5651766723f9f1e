/**
 * Events as entries of a store, so that they are listed, selected and watched like every other object. The ring keeps
 * what is known; the entries are core/v1 Events in a store of their own, in memory, that follows it.
 */
import type { EventRing, RecordedEvent } from '../../runtime/events.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/store.ts';

export const EVENTS = 'events';

/** Commits of history that a watcher may be behind before it has to list again. */
const HISTORY = 4096;

/** Follows the ring until `close`. */
export function eventEntries(ring: EventRing): { store: Store; close: () => Promise<void> } {
  const store = new MemoryStore();
  let compactAt = 2 * HISTORY;
  const put = (event: RecordedEvent) => commit([{ type: 'put', key: keyOf(event), value: eventText(event) }]);
  const commit = (ops: Parameters<Store['commit']>[0]['ops']) => {
    void store.commit({ preconditions: [], ops });
    if (store.revision() < compactAt) return;
    void store.compact(store.revision() - HISTORY);
    compactAt = store.revision() + HISTORY;
  };
  for (const event of ring.list()) put(event);
  const stop = ring.onChange((event, change) => {
    if (change === 'deleted') commit([{ type: 'delete', key: keyOf(event) }]);
    else put(event);
  });
  return {
    store,
    close: async () => {
      stop();
      await store.close();
    },
  };
}

function keyOf(event: RecordedEvent): string {
  return keys.object(EVENTS, event.namespace, event.name);
}

/** Begins with apiVersion, kind and metadata, as the object codec expects. */
function eventText(event: RecordedEvent): string {
  const firstTimestamp = timestamp(event.firstAt);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: event.name, namespace: event.namespace, uid: event.uid, creationTimestamp: firstTimestamp },
    involvedObject: event.involved,
    reason: event.reason,
    message: event.message,
    source: { component: 'plumb' },
    firstTimestamp,
    lastTimestamp: timestamp(event.lastAt),
    count: event.count,
    type: event.type,
    eventTime: null,
    reportingComponent: 'plumb',
    reportingInstance: '',
  });
}

/** RFC 3339 in whole seconds: metav1.Time has no more. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
