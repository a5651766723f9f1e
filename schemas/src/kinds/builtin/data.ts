/** What Secret and ConfigMap have in common: keys, sizes, and that they can be made immutable. */
import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../meta/error.ts';
import { forbidden, invalid } from './mistakes.ts';

/** Bytes of all values together, as Kubernetes bounds them. */
export const MOST_DATA = 1_048_576;

export const immutableFlag = {
  type: 'boolean',
  description: 'Its data cannot be changed any more, nor this taken back: delete it and create it again.',
} as const;

const KEY = /^[-._a-zA-Z0-9]+$/;

export function keyErrors(field: string, data: Readonly<Record<string, string>>): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(data)) {
    const refuse = (detail: string) =>
      errors.push(invalid(`${field}[${key.slice(0, 300)}]`, key.slice(0, 300), detail));
    if (key.length > 253) refuse('must be no more than 253 characters');
    if (!KEY.test(key.slice(0, 300)))
      refuse("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (regex [-._a-zA-Z0-9]+)");
    if (key === '.' || key === '..') refuse(`must not be '${key}'`);
    else if (key.startsWith('..')) refuse("must not start with '..'");
  }
  return errors;
}

/** Violations of `immutable`, by the fields that it fixes. */
export function fixedErrors(
  object: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>> | undefined,
  fields: readonly string[],
): FieldError[] {
  if (before?.immutable !== true) return [];
  const detail = 'field is immutable when `immutable` is set';
  return [
    ...(object.immutable === true ? [] : [forbidden('immutable', detail)]),
    ...fields
      .filter((field) => !isDeepStrictEqual(object[field] ?? {}, before[field] ?? {}))
      .map((field) => forbidden(field, detail)),
  ];
}

/** Bytes that a text in base64 stands for. */
export function decodedLength(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);
}

/** Texts in base64 that hold line ends, as Go's decoder lets them, without them, so that equal bytes are stored equal. */
export function normalizeBase64(data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  const texts = data as Record<string, unknown>;
  for (const [key, text] of Object.entries(texts))
    if (typeof text === 'string' && /[\r\n]/.test(text)) texts[key] = text.replaceAll(/[\r\n]/g, '');
}
