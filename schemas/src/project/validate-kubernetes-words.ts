/**
 * The sentences of a Kubernetes API server for what breaks the schema of a custom resource (kube-openapi, validation/errors, as
 * apiextensions-apiserver turns them into field errors). It shows the value; one that may be secret is not shown here.
 */
import type { FieldError, FieldReason } from '../meta/error.ts';
import type { Said, Words } from './validate-said.ts';

/** Characters of a value that are shown: as many as a long name has. */
const MOST_SHOWN = 300;

/** A value as Go's field errors write it. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' && value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value;
  const json = JSON.stringify(text) ?? 'null';
  return json.length > 4 * MOST_SHOWN ? `${json.slice(0, 4 * MOST_SHOWN)}…` : json;
}

const HIDDEN = '(not shown)';
const invalid = (value: unknown, secret: boolean, rule: string, reason?: FieldReason): Said => ({
  message: `Invalid value: ${secret ? HIDDEN : quoted(value)}: ${rule}`,
  ...(reason === undefined ? {} : { reason }),
});
const typed = (at: string, type: string, is: string): Said => ({
  message: `Invalid value: "${is}": ${at} in body must be of type ${type}: "${is}"`,
  reason: 'FieldValueTypeInvalid',
});

/** Numbers beyond what 64 bits hold are no integers to Go. */
const MOST_INTEGER = 2 ** 63;

/** The type of a value as kube-openapi names it. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'number') return typeof value;
  return Number.isInteger(value) && Math.abs(value) < MOST_INTEGER ? 'integer' : 'number';
}

/** The format that it reads out of a value. */
const FORMATS: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64', boolean: '', object: '' };

export const kubernetesWords: Words = {
  ofServer: true,
  wrongType: ({ type, format }, value, _secret, at) => {
    const is = typeOf(value);
    // Of another type than its format is said, where the value has one.
    const ofFormat = format === undefined ? undefined : FORMATS[is];
    if (ofFormat !== undefined) return [typed(at, format!, ofFormat)];
    const said = typed(at, type!, is);
    if (type !== 'integer' || is !== 'number') return [said];
    const checked = `Checked value must be of type integer (default format) in ${at}`;
    return [said, { message: `Invalid value: "": ${checked}`, field: NO_FIELD }];
  },
  notAllowed: (allowed, value, secret) => {
    const words = allowed.map((word) => JSON.stringify(word)).join(', ');
    const is = secret ? HIDDEN : quoted(value);
    return { message: `Unsupported value: ${is}: supported values: ${words}`, reason: 'FieldValueNotSupported' };
  },
  required: () => ({ message: 'Required value', reason: 'FieldValueRequired' }),
  tooFewItems: (least, has, at) => invalid(has, false, `${at} in body should have at least ${least} items`),
  tooManyItems: (most, has) => ({
    message: `Too many: ${has}: must have at most ${most} items`,
    reason: 'FieldValueTooMany',
  }),
  twice: (keys, item, _before, secret) => {
    const same =
      keys.length === 0
        ? item
        : Object.fromEntries([...keys].sort().map((key) => [key, (item as Record<string, unknown>)[key]]));
    return { message: `Duplicate value: ${secret ? HIDDEN : quoted(same)}`, reason: 'FieldValueDuplicate' };
  },
  noKeys: (item) =>
    invalid(
      item,
      typeof item !== 'number' && typeof item !== 'boolean',
      'must be an object for an array of list-type map',
    ),
  tooLong: (most) => ({ message: `Too long: may not be more than ${most} bytes`, reason: 'FieldValueTooLong' }),
  tooShort: (least, text, secret, at) => invalid(text, secret, `${at} in body should be at least ${least} chars long`),
  mismatch: ({ pattern }, text, secret, at) => invalid(text, secret, `${at} in body should match '${pattern}'`),
  malformed: ({ format }, _words, text, secret, at) => {
    const is = secret ? HIDDEN : quoted(text);
    const rule = `${at} in body must be of type ${format}: ${is}`;
    return { message: `Invalid value: ${is}: ${rule}`, reason: 'FieldValueTypeInvalid' };
  },
  tooSmall: (least, number, secret, at) =>
    invalid(number, secret, `${at} in body should be greater than or equal to ${least}`),
  tooLarge: (most, number, secret, at) =>
    invalid(number, secret, `${at} in body should be less than or equal to ${most}`),
};

/** Where Kubernetes names no field. */
export const NO_FIELD = '<nil>';

const BLOCKING: ReadonlySet<FieldReason | undefined> = new Set<FieldReason>([
  ...(['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany'] as const),
  'FieldValueTypeInvalid',
]);

/** Whether rules on what the object was before are not even tried, and what is said of that. */
export function untried(errors: readonly FieldError[]): FieldError | undefined {
  if (!errors.some(({ reason }) => BLOCKING.has(reason))) return undefined;
  const why =
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
  return { field: NO_FIELD, message: `Invalid value: null: ${why}` };
}
