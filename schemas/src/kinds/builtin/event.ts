/**
 * Event: what happened to an object. It is in two groups, which give its fields other names: core/v1, and events.k8s.io/v1. One event
 * is in both. It has no resource in Terraform, and is not among `everyKind`: events are kept in memory, and grow old.
 */
import type { FieldError } from '../../meta/error.ts';
import { defineKind, type KindDefinition } from '../define.ts';
import { invalid, required } from './mistakes.ts';
import { noSpec } from './no-spec.ts';
import { microTime, secondTime } from './times.ts';

const text = (description: string) => ({ type: 'string', description }) as const;
const time = (description: string) => ({ type: 'string', format: 'date-time', description }) as const;
const whole = (description: string) => ({ type: 'integer', description }) as const;

const objectReference = (description: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    description,
    properties: {
      kind: text('Its kind.'),
      namespace: text('Its namespace.'),
      name: text('Its name.'),
      uid: text('Its uid.'),
      apiVersion: text('Its group and version.'),
      resourceVersion: text('Its version when that happened.'),
      fieldPath: text('The part of it that is meant.'),
    },
  }) as const;

const source = (description: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    description,
    properties: { component: text('Program that says it.'), host: text('Where that runs.') },
  }) as const;

const series = {
  type: 'object',
  additionalProperties: false,
  description: 'What happens again and again.',
  properties: { count: whole('How often until then.'), lastObservedTime: time('When it last happened.') },
} as const;

const shared = {
  reason: text('One UpperCamelCase word for programs.'),
  type: text('Normal or Warning.'),
  eventTime: time('When it was first observed.'),
  series,
  action: text('What was done about it.'),
  related: objectReference('Another object that it is about.'),
  reportingInstance: text('Which of several such programs.'),
} as const;

/** Name in core/v1 → name in events.k8s.io/v1. The others are called alike. */
const NAMES: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
  reportingComponent: 'reportingController',
};
const CORE_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(NAMES).map(([core, other]) => [other, core]),
);

type Fields = Record<string, unknown>;

const EVENTS_GROUP = 'events.k8s.io';
const renamed = (object: Fields, names: Readonly<Record<string, string>>): Fields =>
  Object.fromEntries(Object.entries(object).map(([field, value]) => [names[field] ?? field, value]));

/** An event of core/v1 as one of events.k8s.io/v1. */
export function inEventsGroup(event: Fields): Fields {
  return completeEvent({ ...renamed(event, NAMES), apiVersion: `${EVENTS_GROUP}/v1` });
}

/** An event of events.k8s.io/v1 as one of core/v1. */
export function inCoreGroup(event: Fields): Fields {
  return completeEvent({ ...renamed(event, CORE_NAMES), apiVersion: 'v1' });
}

/** As Kubernetes gives events out: what is no pointer there is never absent. */
export function completeEvent(event: Fields): Fields {
  const isCore = event.apiVersion === 'v1';
  const name = (field: string) => (isCore ? field : (NAMES[field] ?? field));
  const { apiVersion, kind, metadata, ...rest } = event;
  const made: Fields = { apiVersion, kind, metadata, ...rest };
  for (const field of ['involvedObject', 'source']) made[name(field)] ??= {};
  for (const field of ['firstTimestamp', 'lastTimestamp', 'eventTime']) made[name(field)] ??= null;
  for (const field of ['reportingComponent', 'reportingInstance'])
    if (isCore) made[field] ??= '';
    else if (made[name(field)] === '') delete made[name(field)];
  return made;
}

function normalize(event: Fields): void {
  for (const field of ['firstTimestamp', 'lastTimestamp', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp'])
    if (field in event) event[field] = secondTime(event[field]);
  if ('eventTime' in event) event.eventTime = microTime(event.eventTime);
  const of = event.series as Fields | undefined;
  if (typeof of === 'object' && of !== null && 'lastObservedTime' in of)
    of.lastObservedTime = microTime(of.lastObservedTime);
  // What is empty is absent in Go, and is not given out.
  for (const [field, value] of Object.entries(event)) if (value === '' || value === 0) delete event[field];
}

interface CoreEvent {
  metadata: { namespace?: string };
  involvedObject?: { namespace?: string };
  eventTime?: string;
  firstTimestamp?: string;
  lastTimestamp?: string;
  count?: number;
  type?: string;
  reason?: string;
  message?: string;
  action?: string;
  reportingComponent?: string;
  reportingInstance?: string;
  source?: { component?: string; host?: string };
  series?: { count?: number; lastObservedTime?: string };
}

/** pkg/apis/core/validation, legacyValidateEvent. */
function coreErrors(event: CoreEvent, controller = 'reportingComponent'): FieldError[] {
  const errors: FieldError[] = [];
  const { eventTime, involvedObject = {}, reportingComponent = '', reportingInstance = '' } = event;
  const namespace = event.metadata.namespace ?? '';
  const of = involvedObject.namespace ?? '';
  const mismatch = () => errors.push(invalid('involvedObject.namespace', of, 'does not match event.namespace'));
  if (!eventTime) {
    if (of === '' ? namespace !== 'default' : of !== namespace) mismatch();
    return errors;
  }
  if (of === '' && namespace !== 'default' && namespace !== 'kube-system') mismatch();
  const least = (field: string, value: string) => value === '' && errors.push(required(field));
  const most = (field: string, value: string, length: number) =>
    Buffer.byteLength(value) > length && errors.push(invalid(field, '', `can have at most ${length} characters`));
  least(controller, reportingComponent);
  if (reportingComponent === '') errors.push(invalid(controller, '', 'name part must be non-empty'));
  if (!QUALIFIED.test(reportingComponent)) errors.push(invalid(controller, reportingComponent, QUALIFIED_RULE));
  least('reportingInstance', reportingInstance);
  most('reportingInstance', reportingInstance, 128);
  for (const field of ['action', 'reason'] as const) {
    least(field, event[field] ?? '');
    most(field, event[field] ?? '', 128);
  }
  most('message', event.message ?? '', 1024);
  return errors;
}

const QUALIFIED = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const QUALIFIED_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** What the newer group asks more: ValidateEventCreate, ValidateEventUpdate. Fields are called as in core/v1 there, too. */
function strictErrors(sent: Fields, was: Fields | undefined): FieldError[] {
  const event = renamed(sent, CORE_NAMES) as unknown as CoreEvent;
  const before = was && (renamed(was, CORE_NAMES) as unknown as CoreEvent);
  const errors = coreErrors(event, 'reportingController');
  const { count, lastObservedTime } = event.series ?? {};
  if (event.series && JSON.stringify(event.series) !== JSON.stringify(before?.series)) {
    if ((count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
    if (!lastObservedTime) errors.push(required('series.lastObservedTime'));
  }
  if (before) return [...errors, ...fixedErrors(event as unknown as Fields, before as unknown as Fields)];
  if (!event.eventTime) errors.push(required('eventTime'));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(invalid('type', '', `has invalid value: ${(event.type ?? '').slice(0, 80)}`));
  const unset = (field: string, isSet: unknown) => isSet && errors.push(invalid(field, '', 'needs to be unset'));
  unset('firstTimestamp', event.firstTimestamp);
  unset('lastTimestamp', event.lastTimestamp);
  unset('count', event.count);
  unset('source', event.source?.component || event.source?.host);
  return errors;
}

const FIXED = [
  ...['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'type'],
  ...['eventTime', 'action', 'related', 'reportingComponent', 'reportingInstance'],
];

function fixedErrors(event: Fields, before: Fields): FieldError[] {
  const textOf = (value: unknown) => JSON.stringify(value || {});
  const same = (a: unknown, b: unknown) => textOf(a) === textOf(b);
  return FIXED.filter((field) => !same(event[field], before[field])).map((field) =>
    invalid(field === 'reportingComponent' ? 'reportingController' : field, event[field] ?? '', 'field is immutable'),
  );
}

const common = {
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  scope: 'Namespaced',
  names: 'subdomain',
  ...noSpec,
  columns: [],
  immutable: [],
  references: [],
  disruption: {},
  terraform: false,
  normalize,
} as const;

export const event = defineKind({
  ...common,
  group: '',
  description: 'What happened to an object. Kept for a while, in memory.',
  fields: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...shared,
      involvedObject: objectReference('The object that it is about.'),
      message: text('A sentence for people.'),
      source: source('Who says it.'),
      firstTimestamp: time('When it first happened.'),
      lastTimestamp: time('When it last happened.'),
      count: whole('How often it happened.'),
      reportingComponent: text('Program that says it.'),
    },
  },
  validate: (object: CoreEvent) => coreErrors(object),
}) as KindDefinition;

export const eventsEvent = defineKind({
  ...common,
  group: EVENTS_GROUP,
  description: 'What happened to an object, as in core/v1, with fields that are called otherwise.',
  fields: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...shared,
      regarding: objectReference('The object that it is about.'),
      note: text('A sentence for people.'),
      deprecatedSource: source('Who says it, where an older program did.'),
      deprecatedFirstTimestamp: time('When it first happened, where an older program said it.'),
      deprecatedLastTimestamp: time('When it last happened, where an older program said it.'),
      deprecatedCount: whole('How often it happened, where an older program said it.'),
      reportingController: text('Program that says it.'),
    },
  },
  validate: strictErrors,
}) as KindDefinition;
