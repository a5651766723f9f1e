/** The durable record of a flow: enough to go on, or back, after any crash. */
import { type HostResource, type PlumbError, resourceTypes, terminal } from '@plumb/schemas';
import { hasShape, shapeErrors } from '@plumb/schemas/project/shape.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { Held, HoldingType, HoldingTypes } from '../plan/holding.ts';
import { PLAN_VERSION, type Plan, type PlanStep } from '../plan/plan.ts';
import { isKey } from '../store/check.ts';
import { readText, textOf } from './record-text.ts';

/** What flows are for: each is proved at every fault point (sim/src/matrix). */
export const flowPurposes = ['create', 'update', 'repair', 'delete'] as const;
export type FlowPurpose = (typeof flowPurposes)[number];

export interface FlowRecord {
  /** Key of the object in the store. */
  key: string;
  /** The kind of the object, which says what `held` and `target` are. */
  kind: string;
  uid: string;
  purpose: FlowPurpose;
  /** The generation of the object that the plan was made for. */
  generation: number;
  /**
   * forward: doing. back: undoing. failed: undone whole; kept so that the same inputs are not tried again.
   */
  direction: 'forward' | 'back' | 'failed';
  plan: Plan;
  /** What flows that this one took the place of may have done, first to last: going back means back before them. */
  carried?: PlanStep[];
  /** What the object holds when the flow has gone forward to its end; absent when it then holds nothing. */
  target?: Held;
  /** What the object held before, and what superseded flows had taken: freed at the end unless kept. */
  held: Held[];
  /** Fingerprint of everything the plan was made from; a failed flow is planned again only when it changes. */
  inputs: string;
  /** Short digest of what the object has when the flow has gone forward to its end: what differs from it later is a change. */
  applied?: string;
  /** Why it goes back, went back, or cannot go on. */
  failure?: FlowFailure;
  /** Set while undo, or a step behind the pivot, fails: visible and retried, never dropped. */
  stuck?: FlowFailure;
  /** When the flow was planned, milliseconds since the epoch. */
  startedAt: number;
  /** How often a step that disturbs what runs was begun: durable before it is sent. Absent: never. */
  attempts?: number;
  /** Of a flow that failed: the resources of the object as they were made before it, to be held so. */
  former?: HostResource[];
}

export interface FlowFailure {
  reason: string;
  message: string;
  step?: string;
  host?: string;
  /** What is taken back because of it, in words; absent while nothing is. */
  undone?: string[];
}

/** The failure in one sentence for people: what, which step, which host, and what was undone. */
export function failureSentence({ message, undone }: FlowFailure): string {
  if (undone === undefined) return message;
  return `${message}; ${undone.length > 0 ? `undone: ${undone.join(', ')}` : 'there was nothing to undo'}`;
}

/** `type`: of what objects of its kind hold. */
export function encodeFlow(record: FlowRecord, type?: HoldingType): string {
  return textOf(record, type);
}

/**
 * The flow of the object `uid`. Throws terminal `FlowVersion` for a plan that a newer Plumb wrote: an older one must not guess
 * what it means; and terminal `FlowUnreadable` for what is no flow of that object. `types`: of what objects of the kinds hold.
 */
export function decodeFlow(uid: string, value: string, types: HoldingTypes): FlowRecord {
  const record = parse(value) as FlowRecord;
  const version: unknown = record?.plan?.version;
  if (version === 1) upgrade(record);
  else if (typeof version === 'number' && version !== PLAN_VERSION)
    throw terminal(
      'FlowVersion',
      `has plan version ${version}, and this Plumb knows ${PLAN_VERSION}: run the Plumb that wrote it, or a newer one`,
    );
  const [error] = shapeErrors(flowSchema, record, 'record', 1);
  if (error) throw unreadable(`${error.field} ${error.message}`);
  if (record.uid !== uid) throw unreadable('is that of another object');
  for (const { resource, previous, verb } of [...record.plan.steps, ...(record.carried ?? [])])
    if ((verb === 'ensure' && !isWhole(resource)) || (previous && !isWhole(previous)))
      throw unreadable(`has a step for a ${resource.kind} that is not described`);
  const type = types.get(record.kind);
  if (type === undefined)
    throw unreadable(`is of kind ${shown(record.kind)}, and no objects of such a kind are placed here`);
  for (const held of record.held.concat(record.target ?? [])) requireHeld(uid, held, type);
  if (!(record.former ?? []).every(isWhole)) throw unreadable('has a former resource that is not described');
  return record;
}

/** In plans of version 1 a step said `thing` where it says `resource` now. */
function upgrade(record: FlowRecord): void {
  record.plan.version = PLAN_VERSION;
  for (const steps of [record.plan.steps, record.carried]) {
    if (!Array.isArray(steps)) continue;
    for (const [index, step] of steps.entries()) {
      if (typeof step !== 'object' || step === null || !('thing' in step)) continue;
      const { thing, ...rest } = step as PlanStep & { thing: HostResource };
      steps[index] = { ...rest, resource: thing };
    }
  }
}

function parse(value: string): unknown {
  try {
    return readText(value);
  } catch {
    throw unreadable(`is not JSON (${value.length} characters)`);
  }
}

function unreadable(what: string): PlumbError {
  return terminal('FlowUnreadable', what);
}

function isWhole({ kind, spec }: HostResource): boolean {
  return hasShape(schemaNode(resourceTypes.definition(kind).spec), spec);
}

/** What is held must be able to stand in keys of the store; it could be neither counted nor released otherwise. */
function requireHeld(uid: string, held: Held, { schema, whyNot, claims }: HoldingType): void {
  const [error] = shapeErrors(schema, held, 'holding', 1);
  if (error) throw unreadable(`${error.field} ${error.message}`);
  if (!isKey(held.host) || !claims(held).exclusive.every(({ key }) => isKey(key) && !key.endsWith('/')))
    throw unreadable('holds what is no host, or no key of what is claimed');
  const why = whyNot?.(uid, held);
  if (why !== undefined) throw unreadable(why);
}

const text: SchemaNode = { type: 'string' };
const texts: SchemaNode = { type: 'array', items: text };

function record(required: Record<string, SchemaNode>, optional: Record<string, SchemaNode> = {}): SchemaNode {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } };
}

const held = record({ host: text });
const resource = record({
  kind: { enum: resourceTypes.types },
  id: text,
  owner: text,
  spec: { type: 'object' },
});
const step = record(
  {
    id: text,
    host: text,
    verb: { enum: ['ensure', 'remove'] },
    resource,
    undo: { enum: ['undoable', 'shared', 'pivot'] },
    disruption: { enum: ['none', 'live', 'restart', 'replace', 'dataLoss'] },
    why: text,
  },
  { previous: resource },
);
const failure = record({ reason: text, message: text }, { step: text, host: text, undone: texts });
const steps: SchemaNode = { type: 'array', items: step };

/** What a program relies on that reads a flow. */
const flowSchema = record(
  {
    key: text,
    kind: text,
    uid: text,
    purpose: { enum: flowPurposes },
    generation: { type: 'integer' },
    direction: { enum: ['forward', 'back', 'failed'] },
    plan: record({ version: { type: 'integer' }, steps }),
    held: { type: 'array', items: held },
    inputs: text,
    startedAt: { type: 'number', minimum: 0, maximum: 8.64e15 },
  },
  {
    carried: steps,
    target: held,
    failure,
    stuck: failure,
    applied: text,
    attempts: { type: 'integer' },
    former: { type: 'array', items: resource },
  },
);

/** Everything that the object may hold while the flow lasts. */
export function everHeld(record: FlowRecord): Held[] {
  return record.target ? [...record.held, record.target] : record.held;
}
