/** What the API serves: kinds and what goes with them. Verbs take a resource; nothing in them knows a kind. */
import {
  type Ambient,
  API_GROUP,
  API_VERSION,
  apiVersionOf,
  groupOf,
  isBuiltin,
  type KindDefinition,
  type PlumbObject,
} from '@plumb/schemas';
import { type Cell, type TableColumn, tableColumns, tableRow } from '@plumb/schemas/project/columns.ts';
import { keys } from '../store/keys.ts';
import type { Op, ReadableStore, Store } from '../store/store.ts';

/** A resource that can be read: its names, where it lies, and how a table shows it. */
export interface Resource {
  /** Empty for the core group. */
  group: string;
  version: string;
  /** Group and version as objects bear them. */
  apiVersion: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  scope: 'Cluster' | 'Namespaced';
  store: ReadableStore;
  table: { columns: TableColumn[]; row(object: unknown, now: number): Cell[] };
  /** Fields that a field selector may name beside metadata.name and metadata.namespace. */
  selectable: Record<string, (object: unknown) => string>;
}

/** A resource that can be written: validated, defaulted and finalized by its definition. */
export interface WritableResource extends Resource {
  store: Store;
  definition: KindDefinition;
  /** Put on every new object, so that its controller finishes deletion. */
  finalizer: string | undefined;
  /** What is written together with a new object. */
  beside?: (object: PlumbObject, ambient: Ambient) => Op[];
  /** Its store holds what was admitted, and nothing else: nothing is looked at when it is read. */
  isPlain?: true;
  /** Kubernetes' group in what it says of invalid objects, if it is another one. */
  invalidGroup?: string;
  /** The admitted object with what clients expect to be always there. */
  completed?: (object: PlumbObject) => PlumbObject;
  /** Status that a new object begins with. */
  initialStatus?: Record<string, unknown>;
}

/** Every verb that a resource may have, as discovery calls it. */
export type Verb = 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** The resource of a declared kind. */
export function resourceOfKind(definition: KindDefinition, store: Store): WritableResource {
  return {
    group: groupOf(definition),
    version: API_VERSION,
    apiVersion: apiVersionOf(definition),
    kind: definition.kind,
    plural: definition.plural,
    singular: definition.singular,
    shortNames: definition.shortNames,
    categories: isBuiltin(definition) ? [] : ['plumb'],
    scope: definition.scope,
    store,
    definition,
    // Nothing of a built-in kind lives on hosts.
    finalizer: isBuiltin(definition) ? undefined : `${API_GROUP}/${definition.kind.toLowerCase()}`,
    table: tableOf(definition),
    selectable: selectableOf(definition),
  };
}

/** Readers of the fields that a field selector may name; what is absent is empty, as in Kubernetes. */
function selectableOf({ selectable = [] }: KindDefinition): Resource['selectable'] {
  return Object.fromEntries(
    selectable.map((path) => {
      const steps = path.split('.');
      return [
        path,
        (object: unknown) => {
          const value = steps.reduce<unknown>(
            (at, step) => (at as Record<string, unknown> | undefined)?.[step],
            object,
          );
          return value === undefined || value === null ? '' : String(value);
        },
      ];
    }),
  );
}

/** The table of a declared kind. */
export function tableOf(definition: KindDefinition): Resource['table'] {
  return { columns: tableColumns(definition), row: (object, now) => tableRow(definition, object, now) };
}

/** The beginning of the keys of a resource; of one namespace, if one is given. */
export function prefixOf(resource: Resource, namespace: string | undefined): string {
  if (resource.scope === 'Cluster') return keys.namespace(resource.plural, '');
  return namespace === undefined ? keys.kind(resource.plural) : keys.namespace(resource.plural, namespace);
}

/** The key of one object of a resource. */
export function keyOf(resource: Resource, namespace: string | undefined, name: string): string {
  return keys.object(resource.plural, resource.scope === 'Cluster' ? undefined : namespace, name);
}
