/** core/v1 Event: controllers record them, and clients post theirs. */
import type { PlumbObject } from '@plumb/schemas';
import { completeEvent, event as definition } from '@plumb/schemas/kinds/builtin/event.ts';
import { age } from '@plumb/schemas/project/columns-age.ts';
import type { Store } from '../../store/store.ts';
import { resourceOfKind, type WritableResource } from '../resource.ts';

interface EventObject {
  metadata: { name: string; namespace?: string };
  involvedObject: Record<string, string | undefined>;
  firstTimestamp: string | null;
  lastTimestamp: string | null;
  eventTime: string | null;
  series?: { count?: number; lastObservedTime?: string };
  source: { component?: string; host?: string };
  reportingComponent: string;
  reportingInstance: string;
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
}

const column = (name: string, description: string, priority = 0, format = '') => ({
  ...{ name, type: 'string', format, description, priority },
});

const involved = (field: string) => (object: unknown) => (object as EventObject).involvedObject[field] ?? '';
const text = (field: 'type' | 'reason' | 'reportingComponent') => (object: unknown) =>
  (object as EventObject)[field] ?? '';

/** What is in memory is what was admitted, and is given out with everything that Kubernetes gives out. */
export const completed: Pick<WritableResource, 'isPlain' | 'completed'> = {
  isPlain: true,
  completed: (object) => completeEvent(object as unknown as Record<string, unknown>) as unknown as PlumbObject,
};

/** `store` holds what event-entries.ts makes of events. */
export function eventResource(store: Store): WritableResource {
  return {
    ...resourceOfKind(definition, store),
    ...completed,
    table: {
      columns: [
        column('Last Seen', 'Time since it last happened.'),
        column('Type', 'Normal or Warning.'),
        column('Reason', 'One word for programs.'),
        column('Object', 'The object that it speaks of.'),
        column('Subobject', 'The part of the object that it speaks of.', 1),
        column('Source', 'Who says it.', 1),
        column('Message', 'A sentence for people.'),
        column('First Seen', 'Time since it first happened.', 1),
        column('Count', 'How often it happened.', 1),
        column('Name', 'Name of the event.', 1, 'name'),
      ],
      row: (object, now) => rowOf(object as EventObject, now),
    },
    selectable: {
      type: text('type'),
      reason: text('reason'),
      reportingComponent: text('reportingComponent'),
      source: (object) => (object as EventObject).source.component || (object as EventObject).reportingComponent || '',
      ...Object.fromEntries(
        ['apiVersion', 'kind', 'name', 'namespace', 'uid', 'resourceVersion', 'fieldPath'].map((field) => [
          `involvedObject.${field}`,
          involved(field),
        ]),
      ),
    },
  };
}

/** As kubectl and Kubernetes show them. */
function rowOf(event: EventObject, now: number) {
  const { kind = '', name = '', fieldPath = '' } = event.involvedObject;
  const since = (time: string | null | undefined) => (time ? age(now - Date.parse(time)) : '<unknown>');
  const first = since(event.firstTimestamp ?? event.eventTime);
  const last = event.series
    ? since(event.series.lastObservedTime)
    : event.lastTimestamp
      ? since(event.lastTimestamp)
      : first;
  const count = event.series ? (event.series.count ?? 0) : event.count || 1;
  const from = event.source.component || event.reportingComponent;
  const host = event.source.host || event.reportingInstance;
  return [
    ...[last, event.type ?? '', event.reason ?? ''],
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    ...[fieldPath, host ? `${from}, ${host}` : from],
    ...[(event.message ?? '').trim(), first, count, event.metadata.name],
  ];
}
