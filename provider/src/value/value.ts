/** Terraform's values as the provider computes with them. Wire forms stop in msgpack.ts and json.ts. */

/** Stands where a value is not known before apply. */
export const UNKNOWN: unique symbol = Symbol('unknown');

/** A number that a double cannot hold exactly. Terraform's numbers are decimal and long; its text is kept as it came. */
export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Value = null | typeof UNKNOWN | string | boolean | number | NumberText | Value[] | ObjectValue;

/** An object has exactly the attributes of its schema; a map has any keys. */
export interface ObjectValue {
  [key: string]: Value;
}

export function isObject(value: Value | undefined): value is ObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

/** The number in text or binary form; a double when that is exact. */
export function numberFrom(raw: number | bigint | string): number | NumberText {
  if (typeof raw === 'number') return raw;
  const double = Number(raw);
  if (Number.isNaN(double)) throw new Error('a value that the schema calls a number is none');
  if (typeof raw === 'bigint') return Number.isSafeInteger(double) ? double : new NumberText(raw.toString());
  return decimal(raw) === decimal(String(double)) ? double : new NumberText(raw);
}

/** A decimal in one form: digits without leading or trailing zeros, and an exponent. Not a decimal: the text itself. */
function decimal(text: string): string {
  const match = /^(-?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  if (!match) return text;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  let from = 0;
  let to = digits.length;
  while (digits[from] === '0') from++;
  while (to > from && digits[to - 1] === '0') to--;
  const scale = Number(exponent) - fraction.length + (digits.length - to);
  return from === to ? '0' : `${sign}${digits.slice(from, to)}e${scale}`;
}

/** The double nearest to a number: what the API is told. */
export function doubleOf(value: number | NumberText): number {
  return value instanceof NumberText ? Number(value.text) : value;
}

/** Equal in Terraform's sense. An unknown equals an unknown. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (a instanceof NumberText || b instanceof NumberText) {
    return a instanceof NumberText && b instanceof NumberText && decimal(a.text) === decimal(b.text);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

export function isWhollyKnown(value: Value): boolean {
  if (value === UNKNOWN) return false;
  if (Array.isArray(value)) return value.every(isWhollyKnown);
  if (isObject(value)) return Object.values(value).every(isWhollyKnown);
  return true;
}
