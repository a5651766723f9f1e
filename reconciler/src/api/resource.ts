/** What the API serves: kinds and what goes with them. Verbs take a resource; nothing in them knows a kind. */
import { API_GROUP, API_VERSION, type KindDefinition } from '@plumb/schemas';
import { type Cell, type TableColumn, tableColumns, tableRow } from '@plumb/schemas/project/columns.ts';
import { keys } from '../store/keys.ts';
import type { ReadableStore, Store } from '../store/store.ts';

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
  /** Status that a new object begins with. */
  initialStatus?: Record<string, unknown>;
}

/** Every verb that a resource may have, as discovery calls it. */
export type Verb = 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch' | 'delete';

/** The resource of a declared kind. */
export function resourceOfKind(definition: KindDefinition, store: Store): WritableResource {
  return {
    group: API_GROUP,
    version: API_VERSION,
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: definition.kind,
    plural: definition.plural,
    singular: definition.singular,
    shortNames: definition.shortNames,
    categories: ['plumb'],
    scope: definition.scope,
    store,
    definition,
    finalizer: `${API_GROUP}/${definition.kind.toLowerCase()}`,
    table: tableOf(definition),
    selectable: {},
  };
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
