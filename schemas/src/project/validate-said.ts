/**
 * What is said of a mistake, in one of two ways: in Plumb's own sentences, which show the rule, the value and what was probably
 * meant, where Plumb itself reads what people write; and in those of a Kubernetes API server, where its clients ask.
 */
import type { FieldReason } from '../meta/error.ts';
import { shown } from './shown.ts';
import type { SchemaNode } from './validate-schema.ts';
import { about, article, counted, given, missing, oneOf } from './validate-words.ts';

export interface Said {
  message: string;
  reason?: FieldReason | undefined;
  /** Of which field, where it is not the one that is looked at. */
  field?: string;
}

/** `at` is the path of the value in what is judged; `secret`: the value may not be shown. */
export interface Words {
  /**
   * Whether it is judged as an API server does where that differs: numbers that should be whole are held against their bounds, too;
   * of what stands thrice the first repetition is told; and an item that cannot have keys is told twice.
   */
  readonly ofServer: boolean;
  wrongType(schema: SchemaNode, value: unknown, secret: boolean, at: string): Said[];
  notAllowed(allowed: readonly unknown[], value: unknown, secret: boolean): Said;
  required(schema: SchemaNode | undefined): Said;
  tooFewItems(least: number, has: number, at: string): Said;
  tooManyItems(most: number, has: number): Said;
  /** Two items of a list map with the same keys, or of a set that are equal. */
  twice(keys: readonly string[], item: unknown, before: number, secret: boolean): Said;
  /** What cannot have the keys that its list is mapped by. */
  noKeys(item: unknown): Said;
  tooLong(most: number, has: number): Said;
  tooShort(least: number, text: string, secret: boolean, at: string): Said;
  mismatch(schema: SchemaNode, text: string, secret: boolean, at: string): Said;
  malformed(schema: SchemaNode, words: string, text: string, secret: boolean, at: string): Said;
  tooSmall(least: number, number: number, secret: boolean, at: string): Said;
  tooLarge(most: number, number: number, secret: boolean, at: string): Said;
}

export const plainWords: Words = {
  ofServer: false,
  wrongType: ({ type }, value, secret) => {
    // What stands where an object or a list belongs may hold a secret that the schema does not see there.
    const is = given(value, secret || type === 'object' || type === 'array', true);
    return [{ message: `must be ${article(type!)}, but is ${is}`, reason: 'FieldValueTypeInvalid' }];
  },
  notAllowed: (allowed, value, secret) => ({
    message: oneOf(allowed, value, given(value, secret)),
    reason: 'FieldValueNotSupported',
  }),
  required: (schema) => ({ message: missing(schema), reason: 'FieldValueRequired' }),
  tooFewItems: (least, has) => ({ message: `must have at least ${counted(least, 'item')}, but has ${has}` }),
  tooManyItems: (most, has) => ({
    message: `must have at most ${counted(most, 'item')}, but has ${has}`,
    reason: 'FieldValueTooMany',
  }),
  twice: (keys, item, before, secret) => ({
    message:
      keys.length === 0
        ? `is the same as item ${before}${secret ? '' : `: ${shown(item)}`}`
        : `has the same ${keys.join(' and ')} as item ${before}${secret ? '' : `: ${shown(identity(keys, item))}`}`,
    reason: 'FieldValueDuplicate',
  }),
  noKeys: () => ({ message: 'must be an object' }),
  tooLong: (most, has) => ({
    message: `must have at most ${most} characters, but has ${has}`,
    reason: 'FieldValueTooLong',
  }),
  tooShort: (least, text, secret) => ({
    message: `must have at least ${least} characters, but is ${given(text, secret)}`,
  }),
  mismatch: (schema, text, secret) => ({
    message: `must match ${schema.pattern}, but is ${given(text, secret)}${about(schema)}`,
  }),
  malformed: (_schema, words, text, secret) => ({
    message: `must be ${words}, but is ${given(text, secret)}`,
    reason: 'FieldValueTypeInvalid',
  }),
  tooSmall: (least, number, secret) => ({ message: `must be at least ${least}, but is ${given(number, secret)}` }),
  tooLarge: (most, number, secret) => ({ message: `must be at most ${most}, but is ${given(number, secret)}` }),
};

function identity(keys: readonly string[], item: unknown): unknown {
  const values = keys.map((key) => (item as Record<string, unknown>)[key]);
  return values.length === 1 ? values[0] : values;
}
