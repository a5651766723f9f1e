/**
 * Objects as clients read them, whatever is in the store. A record that cannot be understood is shown with what can be, and
 * with a condition that says what is wrong and where; so is an object on which a part of the server threw. The conditions are
 * worked out whenever the object is read, and never stored.
 */
import type { Condition, FieldError, KindDefinition, PlumbObject } from '@plumb/schemas';
import { kindOfKey } from '../runtime/object-table.ts';
import type { Poisoned } from '../runtime/poisoned.ts';
import { examine, type Poison } from '../store/examine.ts';
import { decodeObject, encodeObject, POISONED } from '../store/object-codec.ts';
import type { Entry } from '../store/store.ts';
import type { Resource, WritableResource } from './resource.ts';

/** What is needed of {@link Poisoned}. */
export type Wrongs = Pick<Poisoned, 'isPlain' | 'get' | 'thrown'>;

/**
 * The entry as it is to be shown. Nearly always the same: what is known to be as the server writes it is not even parsed.
 * `readAt`: revision of the store that was read.
 */
export function readable(wrongs: Wrongs, resource: Resource, entry: Entry, readAt: number): Entry {
  const definition = definitionOf(resource);
  if (
    !definition ||
    (resource as Partial<WritableResource>).isPlain ||
    (kindOfKey(entry.key) && wrongs.isPlain(entry.key, readAt))
  )
    return entry;
  const { object, poison } = examine(definition, entry);
  const aside = poison ?? wrongs.get(entry.key);
  const shown = object ?? poison.rest;
  const conditions = aside ? asideConditions(shown, aside.problems) : thrownConditions(shown, wrongs.thrown(entry.key));
  return { ...entry, value: textOf(shown, conditions) };
}

/** The stored object, to be changed or deleted. What cannot be understood is there as far as it can be. */
export function storedObject(resource: WritableResource, entry: Entry): { object: PlumbObject; poison?: Poison } {
  if (resource.isPlain) return { object: decodeObject(entry) };
  const { object, poison } = examine(resource.definition, entry);
  return object ? { object } : { object: poison.rest, poison };
}

function definitionOf(resource: Resource): KindDefinition | undefined {
  return (resource as Partial<WritableResource>).definition;
}

function asideConditions(object: PlumbObject, problems: readonly FieldError[]): Condition[] {
  const what = problems.map(({ field, message }) => `${field} ${message}`).join('; ');
  const message = `${what}. Nothing is done for it until it is mended (update or patch it to what is valid) or deleted`;
  return [
    conditionOf(object, 'Ready', 'False', POISONED, message),
    conditionOf(object, POISONED, 'True', 'SetAside', message),
    // Who waits for it (kstatus, health.lua, plumb) need not go on.
    conditionOf(object, 'Stalled', 'True', POISONED, message),
  ];
}

function thrownConditions(object: PlumbObject, thrown: readonly FieldError[]): Condition[] {
  if (thrown.length === 0) return [];
  const message = thrown.map(({ field, message }) => `${field} failed on it: ${message}`).join('; ');
  return [conditionOf(object, POISONED, 'True', 'Failed', message)];
}

function conditionOf(
  { metadata }: PlumbObject,
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): Condition {
  const { creationTimestamp, generation } = metadata;
  return { type, status, reason, message, observedGeneration: generation, lastTransitionTime: creationTimestamp };
}

/** As encodeObject writes it, with conditions that it would not. */
function textOf(object: PlumbObject, conditions: readonly Condition[]): string {
  if (conditions.length === 0) return encodeObject(object);
  const kept = object.status?.conditions?.filter(({ type }) => !conditions.some((own) => own.type === type)) ?? [];
  const all = [...conditions, ...kept].sort((a, b) => Number(b.type === 'Ready') - Number(a.type === 'Ready'));
  const { apiVersion, kind, metadata: _metadata, status, ...body } = object;
  const { resourceVersion: _, ...metadata } = object.metadata;
  return JSON.stringify({ apiVersion, kind, metadata, ...body, status: { ...status, conditions: all } });
}
