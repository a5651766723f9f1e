/**
 * One step of a path into an object, as FieldsV1 writes it: `f:spec` a field, `k:{"name":"eth0"}` the item of a list map with that
 * key, `v:"10.0.0.1"` an item of a set, `i:2` an item by its place. Equal steps are equal texts.
 */

export type Element = string;

/** A step to a field of an object. */
export function fieldElement(name: string): Element {
  return `f:${name}`;
}

/** A step to the item of a list map. `keys`: in the order of their names. */
export function keyElement(keys: Readonly<Record<string, unknown>>): Element {
  return `k:${JSON.stringify(keys)}`;
}

/** A step to an item of a set. */
export function valueElement(value: unknown): Element {
  return `v:${JSON.stringify(value)}`;
}

/** The field that a step leads to; undefined when it leads to an item. */
export function fieldOf(element: Element): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

/**
 * The step that a key of FieldsV1 says, written as we write it; undefined for one of a type that is not known, which is passed over as
 * Kubernetes does. Throws when it cannot be read.
 */
export function readElement(text: string): Element | undefined {
  if (text[1] !== ':') throw new Error(`${JSON.stringify(text.slice(0, 80))} is no path element`);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(JSON.parse(text.slice(2)));
    case 'k': {
      const keys = JSON.parse(text.slice(2)) as Record<string, unknown>;
      if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) throw new Error('a key is no object');
      return keyElement(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => byText(a, b))));
    }
    case 'i':
      if (!/^\d{1,9}$/.test(text.slice(2))) throw new Error('an index is no number');
      return text;
    default:
      return undefined;
  }
}

/** A path for people, as kubectl prints it: `.spec.interfaces[name="eth0"].l3Network`. */
export function pathText(path: readonly Element[]): string {
  return path.map(elementText).join('');
}

function elementText(element: Element): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'v':
      return `[=${rest}]`;
    case 'k':
      return `[${Object.entries(JSON.parse(rest) as object)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`;
    default:
      return `[${rest}]`;
  }
}

const KINDS = 'fkvi';

/** The order in which FieldsV1 lists steps: fields, keys, values, places. */
export function byElement(a: Element, b: Element): number {
  if (a[0] !== b[0]) return KINDS.indexOf(a[0]!) - KINDS.indexOf(b[0]!);
  if (a[0] === 'f') return byText(a, b);
  if (a[0] === 'i') return Number(a.slice(2)) - Number(b.slice(2));
  const [left, right] = [JSON.parse(a.slice(2)), JSON.parse(b.slice(2))] as [unknown, unknown];
  return a[0] === 'v' ? byValue(left, right) : byFields(left as object, right as object);
}

function byFields(a: object, b: object): number {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = byText(left[i]![0], right[i]![0]) || byValue(left[i]![1], right[i]![1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const TYPES = ['number', 'string', 'boolean', 'object'];

function byValue(a: unknown, b: unknown): number {
  const types = TYPES.indexOf(typeof a) - TYPES.indexOf(typeof b);
  if (types !== 0) return types;
  if (typeof a === 'string') return byText(a, b as string);
  if (typeof a === 'object') return byText(JSON.stringify(a), JSON.stringify(b));
  return Number(a) - Number(b);
}

/** By code points, as Go compares strings: not by UTF-16. */
export function byText(a: string, b: string): number {
  if (a === b) return 0;
  for (let i = 0; ; ) {
    const [left, right] = [a.codePointAt(i), b.codePointAt(i)];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    if (left !== right) return left - right;
    i += left > 0xffff ? 2 : 1;
  }
}
