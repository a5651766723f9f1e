/** Objects of the API as the state of a resource, and a planned state as what the API is sent. Pure. */

import type { Draft, Reference } from '@plumb/client/objects.ts';
import { settled } from '@plumb/client/settled.ts';
import type { PlumbObject } from '@plumb/schemas';
import { fieldsOfOthers } from '@plumb/schemas/apply/explain.ts';
import { claimed, hasApplied, type Place } from '@plumb/schemas/apply/track.ts';
import { objectType } from '@plumb/schemas/apply/type.ts';
import { fieldsOf as fieldsDeclared, without } from '@plumb/schemas/apply/typed.ts';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { PENDING } from '@plumb/schemas/meta/pending.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { BEFORE_STACKS } from '../stack.ts';
import { durationMs } from './duration.ts';
import { attributesFrom, type Fields, fieldsOf } from './fields.ts';
import { equal, isObject, type ObjectValue, type Value } from './value.ts';

/** Which object a state speaks of. */
export function referenceOf(kind: TerraformKind, state: ObjectValue): Reference {
  const name = state.name as string;
  return kind.kind.scope === 'Cluster'
    ? { kind: kind.kind, name }
    : { kind: kind.kind, name, namespace: state.project as string };
}

/** The uid in a state, or undefined before the object was seen. */
export function uidOf(state: ObjectValue): string | undefined {
  const uid = isObject(state.status) ? state.status.uid : undefined;
  return typeof uid === 'string' ? uid : undefined;
}

/** The fields that the attributes of the kind stand for: those of its spec, or of a built-in kind its own. */
function bodyIn({ kind }: TerraformKind, object: PlumbObject): Fields {
  return kind.fields ? (object as unknown as Fields) : object.spec;
}

/** The same as they stand in an object. */
function inBody({ kind }: TerraformKind, fields: Fields): Fields {
  return kind.fields ? fields : { spec: fields };
}

/**
 * The state for a live object: of spec what is not another's alone, the label and annotation keys that `held` has, and held timeouts.
 */
export function stateOf(
  kind: TerraformKind,
  object: PlumbObject,
  held: ObjectValue,
  manager: string = BEFORE_STACKS,
): ObjectValue {
  const { metadata } = object;
  return {
    ...identityOf(kind, object),
    ...attributesFrom(bodyIn(kind, visible(kind, object, held, manager)), kind.spec, held),
    labels: ownedKeys(metadata.labels, held.labels),
    annotations: ownedKeys(metadata.annotations, held.annotations),
    timeouts: held.timeouts ?? null,
    status: statusOf(kind, object),
  };
}

/**
 * The object without the fields that others own and Terraform does not declare: an apply leaves them, so that a plan that took them
 * away would come again and again. What is in the state is shown, whoever has changed it. All of it, as long as Terraform has declared
 * nothing of the object.
 */
function visible(kind: TerraformKind, object: PlumbObject, held: ObjectValue, manager: string): PlumbObject {
  const type = objectType(kind.kind);
  const declared = fieldsDeclared(type, inBody(kind, fieldsOf(held, kind.spec)));
  const others = fieldsOfOthers(object.metadata.managedFields, manager, declared);
  if (!others || others.isEmpty) return object;
  return (without(type, object, others) ?? object) as PlumbObject;
}

/** The state for an object that Terraform takes over: it owns every key that is there, but those of other tools. */
export function importedState(kind: TerraformKind, object: PlumbObject): ObjectValue {
  const { labels, annotations } = object.metadata;
  return stateOf(kind, object, { labels: allKeys(labels), annotations: allKeys(annotations) });
}

/** The state of a data source: every key of labels and annotations. */
export function dataOf(kind: TerraformKind, object: PlumbObject): ObjectValue {
  const { metadata } = object;
  return {
    ...identityOf(kind, object),
    ...attributesFrom(bodyIn(kind, object), kind.spec),
    labels: metadata.labels ?? {},
    annotations: withoutMark(metadata.annotations ?? {}),
    status: statusOf(kind, object),
  };
}

/** What is sent to create the planned object. */
export function draftOf(kind: TerraformKind, planned: ObjectValue): Draft {
  const { name, namespace } = referenceOf(kind, planned);
  const labels = keysIn(planned.labels);
  const annotations = keysIn(planned.annotations);
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    },
    ...inBody(kind, fieldsOf(planned, kind.spec)),
  };
}

/** Whether anything that the server keeps differs between two states. */
export function differs(kind: TerraformKind, prior: ObjectValue, planned: ObjectValue): boolean {
  const names = ['labels', 'annotations', ...kind.spec.map(({ name }) => name)];
  return names.some((name) => !equal(planned[name] ?? null, prior[name] ?? null));
}

/** Under which name it wrote before it declared. */
const WRITER = 'terraform-provider-plumb';

/** Under which of these names Terraform has declared fields of the object: the first one. */
export function declarerOf(object: PlumbObject, managers: readonly (string | undefined)[]): string | undefined {
  return managers.find((one) => one !== undefined && hasApplied(object as unknown as Fields, one));
}

/**
 * The entries of managedFields with which `manager` is the one who declared `before`; undefined when it has declared something of the
 * object already. `formers`: under which names it may have declared instead.
 */
export function claimedBy(
  kind: TerraformKind,
  live: PlumbObject,
  before: Draft,
  now: Date,
  manager: string,
  formers: readonly (string | undefined)[],
): object[] | undefined {
  const object = live as unknown as Fields;
  if (hasApplied(object, manager)) return undefined;
  const former = declarerOf(live, formers);
  if (former !== undefined) {
    return live.metadata.managedFields?.map((entry) =>
      entry.manager === former && entry.operation === 'Apply' && !entry.subresource ? { ...entry, manager } : entry,
    );
  }
  const declared = { apiVersion: live.apiVersion, kind: live.kind, ...before };
  const writer = { manager, now: timestamp(now.getTime()) };
  return claimed(placeOf(kind), object, declared, writer, [WRITER]);
}

/** Where objects of the kind are written. */
export function placeOf({ kind }: TerraformKind): Place {
  return { type: objectType(kind), apiVersion: apiVersionOf(kind), kind: kind.kind };
}

/** The duration in `timeouts`, in milliseconds. */
export function timeoutOf(state: ObjectValue, what: 'create' | 'update' | 'delete'): number {
  const text = isObject(state.timeouts) ? state.timeouts[what] : undefined;
  return (typeof text === 'string' ? durationMs(text) : undefined) ?? DEFAULT_TIMEOUT_MS;
}

const DEFAULT_TIMEOUT_MS = 600_000;

function identityOf(kind: TerraformKind, { metadata }: PlumbObject): ObjectValue {
  const { name, namespace } = metadata;
  return kind.kind.scope === 'Cluster' ? { name } : { name, project: namespace ?? null };
}

function statusOf(kind: TerraformKind, object: PlumbObject): ObjectValue {
  const { uid, deletionTimestamp } = object.metadata;
  const ready = deletionTimestamp === undefined && settled(object).state === 'ready';
  const told: ObjectValue = kind.status.some(({ name }) => name === 'ready') ? { ready } : {};
  return { ...attributesFrom(object.status as Fields | undefined, kind.status), uid, ...told };
}

/** Whether the state says that the object is not, or was not seen to be, as it was declared. */
export function isUnfinished({ status }: ObjectValue): boolean {
  return isObject(status) && status.ready === false;
}

function ownedKeys(found: Record<string, string> | undefined, held: Value | undefined): Value {
  if (!isObject(held)) return null;
  const kept = Object.keys(held).filter((key) => found?.[key] !== undefined);
  return Object.fromEntries(kept.map((key) => [key, found![key]!]));
}

function allKeys(found: Record<string, string> | undefined): Value {
  const own = Object.entries(withoutMark(found ?? {})).filter(([key]) => !/(^|\.)kubernetes\.io\//.test(key));
  return own.length > 0 ? Object.fromEntries(own) : null;
}

/** The mark of what was made by a provider that did not take it away. */
const FORMER_MARK = 'plumb.dev/create-request';

function withoutMark({
  [PENDING]: _,
  [FORMER_MARK]: _former,
  ...annotations
}: Record<string, string>): Record<string, string> {
  return annotations;
}

function keysIn(value: Value | undefined): Record<string, string> | undefined {
  return isObject(value) ? (value as Record<string, string>) : undefined;
}
