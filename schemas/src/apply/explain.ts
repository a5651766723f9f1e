/** What a plan says of the fields that several managers care about. */
import { type Element, pathText } from './element.ts';
import { FieldSet } from './field-set.ts';
import { decodeManaged, idText, readId } from './managed-fields.ts';
import type { Conflict, Owners } from './ownership.ts';
import { managerText } from './track.ts';

/** A field, and the managers that own it. */
export interface OwnedField {
  /** As people read it: `spec.interfaces[name="eth0"].addresses`. */
  field: string;
  managers: string[];
}

/**
 * What `manager` declared by the entries (managedFields) of before and declares no more by those of after, and what stays all the same, since others
 * own it.
 */
export function stayingFields(before: unknown, after: unknown, manager: string): OwnedField[] {
  const [then, now] = [ownersIn(before), ownersIn(after)];
  const id = idText({ manager, operation: 'Apply' });
  const given = then.get(id)?.fields;
  const left = now.get(id)?.fields;
  const gone = given && (left ? given.difference(left) : given);
  if (!gone) return [];
  return leavesOf(gone).flatMap((path) => {
    const managers = [...now].filter(([other, { fields }]) => other !== id && fields.has(path)).map(([other]) => other);
    return managers.length > 0 ? [{ field: fieldText(path), managers: managers.map(nameOf) }] : [];
  });
}

/** Fields that an apply takes, or cannot have, by who owns them. */
export function contestedFields(conflicts: readonly Conflict[]): OwnedField[] {
  const fields = new Map<string, string[]>();
  for (const { manager, path } of conflicts)
    fields.getOrInsertComputed(fieldText(path), () => []).push(nameOf(manager));
  return [...fields].map(([field, managers]) => ({ field, managers }));
}

/**
 * What others own by the entries (managedFields) and `manager` does not declare, nor anything of; undefined when it has declared nothing
 * of the object. Of metadata and status nothing is among them, nor what is in `except`.
 */
export function fieldsOfOthers(entries: unknown, manager: string, except: FieldSet): FieldSet | undefined {
  const owners = ownersIn(entries);
  const own = owners.get(idText({ manager, operation: 'Apply' }))?.fields;
  if (!own) return undefined;
  let others = new FieldSet();
  for (const { fields } of owners.values()) if (fields !== own) others = others.union(fields);
  return apart(others, own.union(except)).differenceBelow(NOT_BODY);
}

const NOT_BODY = FieldSet.of(['f:metadata'], ['f:status']);

/** Paths of a set that are in the other neither themselves nor by anything below them. */
function apart(set: FieldSet, other: FieldSet): FieldSet {
  const members = new Set([...set.members].filter((step) => !other.members.has(step) && !other.children.has(step)));
  const children = new Map<Element, FieldSet>();
  for (const [step, below] of set.children) {
    const others = other.children.get(step);
    const left = others ? apart(below, others) : below;
    if (!left.isEmpty) children.set(step, left);
  }
  return new FieldSet(members, children);
}

/** `spec.description (owned by "terraform"), …`: the first few. */
export function ownedText(fields: readonly OwnedField[], most = 10): string {
  const named = fields.slice(0, most).map(({ field, managers }) => `${field} (owned by ${managers.join(' and ')})`);
  const more = fields.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The manager by its name alone where it declares, and how it wrote where it only wrote. */
function nameOf(id: string): string {
  const { operation } = readId(id);
  return operation === 'Apply' ? managerText(id) : managerText(id).replace(/ using .*$/, '');
}

function fieldText(path: readonly Element[]): string {
  return pathText(path).replace(/^\./, '');
}

/** Paths below which nothing else is in the set. */
function leavesOf(set: FieldSet): Element[][] {
  return set.paths().filter((path) => {
    let at: FieldSet | undefined = set;
    for (const step of path) at = at?.children.get(step);
    return at === undefined;
  });
}

function ownersIn(entries: unknown): Owners {
  try {
    return decodeManaged(entries ?? []).owners;
  } catch {
    return new Map();
  }
}
