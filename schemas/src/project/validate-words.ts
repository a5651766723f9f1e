/** Mistakes as sentences: the rule, the value that was given, what is known. */
import { shown } from './shown.ts';
import { nearest } from './validate-nearest.ts';
import type { SchemaNode } from './validate-schema.ts';

/**
 * A value as it may stand in a message. Objects and lists are not shown: a part of them may be secret that no schema sees
 * there.
 */
export function given(value: unknown, hidden: boolean, withType = false): string {
  if (typeof value === 'object' && value !== null) return typeName(value);
  if (hidden) return 'a value that is not shown';
  return withType ? `${shown(value)} (${typeName(value)})` : shown(value);
}

/** The sentence for a field that is required. */
export function missing(property: SchemaNode | undefined): string {
  return `is required${about(property)}`;
}

/** The sentence for a field that no schema knows. */
export function unknownField(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `is not a known field: did you mean ${JSON.stringify(meant)}?`;
  if (known.length === 0) return 'is not a known field: no field is allowed here';
  return `is not a known field; known here: ${known.join(', ')}`;
}

export function oneOf(allowed: readonly unknown[], value: unknown, shownValue: string): string {
  const words = allowed.map((word) => (typeof word === 'string' ? word : JSON.stringify(word)));
  const rule = words.length === 1 ? `must be ${words[0]}` : `must be one of ${words.join(', ')}`;
  const meant = typeof value === 'string' && words.length > 1 ? nearest(value, words) : undefined;
  return `${rule}, but is ${shownValue}${meant === undefined ? '' : `: did you mean ${JSON.stringify(meant)}?`}`;
}

export function about(schema: SchemaNode | undefined): string {
  return schema?.description ? `: ${schema.description}` : '';
}

export function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return article(typeof value);
}

export function counted(count: unknown, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
