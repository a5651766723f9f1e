import type { ExtendedJSONSchema, FromExtendedSchema } from 'json-schema-to-ts';
import type { FieldError } from '../meta/error.ts';
import type { PlumbObject } from '../meta/object.ts';

/** Keywords beyond JSON Schema that the projections read. */
export interface Keywords {
  /** `map`: the items of the list have an identity, named by x-kubernetes-list-map-keys. */
  'x-kubernetes-list-type'?: 'map' | 'set' | 'atomic';
  'x-kubernetes-list-map-keys'?: readonly string[];
  /**
   * `true`: never shown in plans, logs, tables, messages. `'url'`: shown without name, password and query. `'object'`: an object
   * of another kind, shown as its kind says. See project/conceal.ts.
   */
  'x-plumb-sensitive'?: true | 'url' | 'object';
  /** A status leaf that Terraform may hold, because it stays once it is set. */
  'x-plumb-settled'?: true;
  /** Of a settled leaf: the spec fields whose change can alter it. Any can, if absent. */
  'x-plumb-altered-by'?: readonly string[];
}

export type Schema = ExtendedJSONSchema<Keywords & Record<string, unknown>>;

/** What a change of a field costs a running instance. */
export type Disruption = 'none' | 'live' | 'restart' | 'replace' | 'dataLoss';

/** A column of `kubectl get` and `plumb get`, beside NAME and AGE, which every kind has. */
export interface Column {
  name: string;
  /** Dotted path into the object; `status.conditions[Ready].status` selects a list-map item by its key. */
  path: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  description: string;
  /** 0 is always shown; 1 only with `-o wide`. */
  priority?: 0 | 1;
}

/** A field that names another object. `interfaces[].l3Network` means: of every item. Paths begin inside spec. */
export interface Reference {
  path: string;
  kind: string;
}

/** The schema of a spec or a status: a closed object. */
export interface ObjectSchema {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly required?: readonly string[];
  readonly properties: { readonly [name: string]: Schema };
}

/** A kind, declared once. API, Terraform resource and data source, CLI and documentation are projections of it. */
export interface KindDefinition<S extends ObjectSchema = ObjectSchema, T extends ObjectSchema = ObjectSchema> {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  /** One or two sentences: the head of the generated documentation. */
  readonly description: string;
  readonly spec: S;
  readonly status: T;
  readonly columns: readonly Column[];
  /** Spec paths that never change after creation; Terraform replaces the resource instead. */
  readonly immutable: readonly string[];
  readonly references: readonly Reference[];
  /** What changing a spec field costs; fields not named cost `none`. */
  readonly disruption: Readonly<Record<string, Disruption>>;
  /** False: no Terraform resource, because Terraform has a way of its own to say the same. */
  readonly terraform?: false;
  /** Rules across fields that JSON Schema cannot say. Pure; reports every violation. Runs at admission. */
  readonly rules?: (spec: never) => FieldError[];
  /** Field of the spec that lists objects of other kinds: each is admitted as a write of its own would be. */
  readonly declares?: string;
  /** Where what is stored of an object contradicts itself, so that acting on it could destroy something. Pure. */
  readonly contradiction?: (object: PlumbObject) => FieldError | undefined;
}

/** Keeps the literal types of a declaration. */
export function defineKind<const S extends ObjectSchema, const T extends ObjectSchema>(
  definition: KindDefinition<S, T>,
): KindDefinition<S, T> {
  return definition;
}

type Extension = Keywords & Record<string, unknown>;

/** Spec as it is after defaulting: fields with a default are present. */
export type SpecOf<K> = K extends { readonly spec: infer S extends Schema } ? FromExtendedSchema<Extension, S> : never;
/** Spec as a person writes it: fields with a default may be left out. */
export type SpecInputOf<K> = K extends { readonly spec: infer S extends Schema }
  ? FromExtendedSchema<Extension, S, { keepDefaultedPropertiesOptional: true }>
  : never;
export type StatusOf<K> = K extends { readonly status: infer T extends Schema }
  ? FromExtendedSchema<Extension, T>
  : never;
/** The value that a schema describes. */
export type ValueOf<S extends Schema> = FromExtendedSchema<Extension, S>;
/** The stored object of a kind. */
export type ObjectOf<K> = PlumbObject<SpecOf<K>, StatusOf<K>>;
