/** The columns of `kubectl get` and `plumb get`, and their cells for an object. */

import { type Column, isBuiltin, type KindDefinition } from '../kinds/define.ts';
import { age } from './columns-age.ts';
import { conceal } from './conceal.ts';
import { bodyOf, type SchemaNode } from './validate-schema.ts';

/** A column as in meta.k8s.io/v1 Table. */
export interface TableColumn {
  name: string;
  type: string;
  format: string;
  description: string;
  /** 0 is always shown; 1 only with `-o wide`. */
  priority: number;
}

export type Cell = string | number | boolean;

/** What stands in a cell whose field is absent. */
export const NO_VALUE = '<none>';

interface Compiled {
  columns: TableColumn[];
  cells: ((object: unknown, now: number) => Cell)[];
}

const compiled = new WeakMap<KindDefinition, Compiled>();

/** NAME, the columns of the kind, AGE, then those of `-o wide`. */
export function tableColumns(kind: KindDefinition): TableColumn[] {
  return compiledFor(kind).columns;
}

/** The cells of one object, in the order of {@link tableColumns}. `now`: milliseconds since the epoch, for ages. */
export function tableRow(kind: KindDefinition, object: unknown, now: number): Cell[] {
  return compiledFor(kind).cells.map((cell) => cell(object, now));
}

function compiledFor(kind: KindDefinition): Compiled {
  return compiled.getOrInsertComputed(kind, () => {
    const name: Column = { name: 'Name', path: 'metadata.name', type: 'string', description: 'Name of the object.' };
    // Kubernetes' own printers say that an age is a text, and that nothing is nothing.
    const builtin = isBuiltin(kind);
    const created: Column & { shownAs?: 'time' } = kind.showsWhen
      ? {
          ...{ name: 'Created At', path: 'metadata.creationTimestamp', type: 'date' },
          ...{ shownAs: 'time', description: 'When the object was created.' },
        }
      : {
          ...{ name: 'Age', path: 'metadata.creationTimestamp', type: 'date' },
          description: 'Time since the object was created.',
        };
    const none = builtin ? '' : NO_VALUE;
    const narrow = kind.columns.filter((column) => !column.priority);
    const wide = kind.columns.filter((column) => column.priority);
    const all = [name, ...narrow, created, ...wide];
    return {
      columns: all.map((column) => ({
        name: column.name,
        type: builtin && !kind.showsWhen ? 'string' : column.type,
        format: column === name ? 'name' : '',
        description: column.description,
        priority: column.priority ?? 0,
      })),
      cells: all.map((column) => {
        const read = columnReader(kind, column.path);
        return (object, now) => cell(column, shownBy(column, read(object)), now, none);
      }),
    };
  });
}

function shownBy({ shown }: Column, value: unknown): unknown {
  if (shown === undefined) return value;
  if (shown === 'count') return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
  if (typeof value !== 'object' || value === null) return value;
  try {
    return shown(value as never);
  } catch {
    // What is stored may be other than its schema says.
    return undefined;
  }
}

function cell(column: Column & { shownAs?: 'time' }, value: unknown, now: number, none: string): Cell {
  if (value === undefined || value === null || value === '') return none;
  if (Array.isArray(value)) return value.length === 0 ? none : value.map(textOf).join(',');
  if (column.shownAs === 'time') return textOf(value);
  if (column.type === 'date') return ageOf(textOf(value), now);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return textOf(value);
}

function ageOf(time: string, now: number): Cell {
  const then = Date.parse(time);
  return Number.isNaN(then) ? NO_VALUE : age(now - then);
}

/** Of any JSON value: what is stored may be other than its schema says. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Reader = (value: unknown) => unknown;

/**
 * A function that reads a column's path: dotted; `list[key]` is the item of a list map with that key; `list[*]` is
 * every item, and what is read of them becomes one list.
 */
export function columnReader(kind: KindDefinition, path: string): Reader {
  let schema: SchemaNode | undefined = {
    properties: bodyOf(kind),
  };
  const steps: Reader[] = [];
  for (const part of path === '' ? [] : path.split('.')) {
    const [, name, selector] = /^([^[\]]+)(?:\[([^[\]]+)\])?$/.exec(part) ?? [];
    if (name === undefined)
      throw new TypeError(`column path ${path} of ${kind.kind}: ${part} is neither name nor name[key]`);
    schema = schema?.properties?.[name];
    steps.push(each((value) => (value as Record<string, unknown>)[name]));
    if (selector === undefined) continue;
    if (selector !== '*') {
      const key = schema?.['x-kubernetes-list-map-keys']?.[0] ?? 'name';
      steps.push((list) => (Array.isArray(list) ? list.find((item) => item?.[key] === selector) : undefined));
    }
    schema = schema?.items;
  }
  const shown = schema;
  if (path === '') return (object) => object;
  return (object) => {
    const value = steps.reduce((part, step) => step(part), object);
    return Array.isArray(value) && shown?.type !== 'array'
      ? value.map((one) => conceal(shown, one))
      : conceal(shown, value);
  };
}

/** Reads of an object, or of every object of a list. */
function each(read: Reader): Reader {
  return (value) => {
    if (Array.isArray(value)) return value.flatMap((item) => (isObject(item) ? (read(item) ?? []) : []));
    return isObject(value) ? read(value) : undefined;
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
