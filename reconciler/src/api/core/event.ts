/** core/v1 Event: read only; controllers record them. */
import { age } from '@plumb/schemas/project/columns-age.ts';
import type { ReadableStore } from '../../store/store.ts';
import type { Resource } from '../resource.ts';
import { EVENTS } from './event-entries.ts';

interface EventObject {
  involvedObject: Record<string, string | undefined>;
  lastTimestamp: string;
  type: string;
  reason: string;
  message: string;
  count: number;
}

const column = (name: string, description: string, priority = 0) => ({
  name,
  type: 'string',
  format: '',
  description,
  priority,
});

const involved = (field: string) => (object: unknown) => (object as EventObject).involvedObject[field] ?? '';

/** `store` holds what event-entries.ts makes of events. */
export function eventResource(store: ReadableStore): Resource {
  return {
    group: '',
    version: 'v1',
    apiVersion: 'v1',
    kind: 'Event',
    plural: EVENTS,
    singular: 'event',
    shortNames: ['ev'],
    categories: [],
    scope: 'Namespaced',
    store,
    table: {
      columns: [
        column('Last Seen', 'Time since it last happened.'),
        column('Type', 'Normal or Warning.'),
        column('Reason', 'One word for programs.'),
        column('Object', 'The object that it speaks of.'),
        column('Message', 'A sentence for people.'),
        column('Count', 'How often it happened.', 1),
      ],
      row(object, now) {
        const event = object as EventObject;
        const { kind = '', name = '' } = event.involvedObject;
        const seen = age(now - Date.parse(event.lastTimestamp));
        return [seen, event.type, event.reason, `${kind.toLowerCase()}/${name}`, event.message, event.count];
      },
    },
    selectable: {
      type: (object) => (object as EventObject).type,
      reason: (object) => (object as EventObject).reason,
      ...Object.fromEntries(
        ['apiVersion', 'kind', 'name', 'namespace', 'uid', 'resourceVersion', 'fieldPath'].map((field) => [
          `involvedObject.${field}`,
          involved(field),
        ]),
      ),
    },
  };
}
