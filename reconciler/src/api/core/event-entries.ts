/** A recorded event as a core/v1 Event: where it lies among the objects, and its text. */
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { KeptEvent } from '../../runtime/events.ts';
import { keys } from '../../store/keys.ts';

export const EVENTS = 'events';

/** The same for an event and for what is recorded when it happens again. */
export function keyOfEvent(event: KeptEvent): string {
  return keys.object(EVENTS, event.namespace, event.name);
}

/** Begins with apiVersion, kind and metadata, as the object codec expects. */
export function eventText(event: KeptEvent): string {
  if ('text' in event) return event.text;
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
