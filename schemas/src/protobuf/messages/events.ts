/** k8s.io/api/events/v1. Its Event has the name of the core one. */
import type { Messages } from '../messages.ts';

export const eventsMessages: Messages = {
  EventsEvent: {
    metadata: [1, 'ObjectMeta'],
    eventTime: [2, 'microTime'],
    series: [3, 'EventSeries'],
    reportingController: [4, 'string'],
    reportingInstance: [5, 'string'],
    action: [6, 'string'],
    reason: [7, 'string'],
    regarding: [8, 'ObjectReference'],
    related: [9, 'ObjectReference'],
    note: [10, 'string'],
    type: [11, 'string'],
    deprecatedSource: [12, 'EventSource'],
    deprecatedFirstTimestamp: [13, 'time'],
    deprecatedLastTimestamp: [14, 'time'],
    deprecatedCount: [15, 'int32'],
  },
};
