import type { ExtendedJSONSchema, FromExtendedSchema } from 'json-schema-to-ts';
import type { FieldError } from '../meta/error.ts';
import { API_GROUP, API_VERSION, type PlumbObject } from '../meta/object.ts';
import type { ResourceDefinition } from '../resources/define.ts';

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
  /** `false`: no attribute in Terraform, because the server says it by itself, or never gives it back as it was written. */
  'x-plumb-terraform'?: false;
  /** How strategic merge patches treat a list: `merge` its items by the key, or replace it, if absent. */
  'x-kubernetes-patch-strategy'?: 'merge';
  'x-kubernetes-patch-merge-key'?: string;
  /** `atomic`: one writer owns all of the object. */
  'x-kubernetes-map-type'?: 'atomic';
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
  /** Makes of what is read at the path what is shown; never of a secret. `count`: how many there are. */
  shown?: 'count' | ((value: never) => string | number);
  /** 0 is always shown; 1 only with `-o wide`. */
  priority?: 0 | 1;
}

/** A field that names another object. `interfaces[].l3Network` means: of every item. Paths begin inside spec. */
export interface Reference {
  path: string;
  kind: string;
}

/** The right to do `verb` to a subresource of the object: roles name it as `images/file`. */
export interface ExtraRight {
  verb: string;
  subresource: string;
  /** What it is a right to, if not the object itself: another resource, in the same project. */
  group?: string;
  resource?: string;
  name?: string;
  /** What of the spec needs it: with another value it is asked for anew. */
  value: string;
  /** For the refusal. */
  because: string;
}

/** What Terraform says otherwise of a kind than its name and schema do. */
export interface InTerraform {
  /** The type of the resource without its prefix; the kind in snake_case, if absent. */
  readonly type?: string;
  /** Types that it had before, with which states and `moved` blocks still come. */
  readonly formerly?: readonly string[];
}

/** The schema of a spec or a status: a closed object. */
export interface ObjectSchema {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly required?: readonly string[];
  readonly properties: { readonly [name: string]: Schema };
}

/** A kind, declared once. API, Terraform resource and data source, CLI and documentation are projections of it. */
export interface KindDefinition<
  S extends ObjectSchema = ObjectSchema,
  T extends ObjectSchema = ObjectSchema,
  R extends HostResources = HostResources,
> {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  /** API group; empty for Kubernetes' core group. `plumb.dev`, if absent. See {@link groupOf}. */
  readonly group?: string;
  /** What names may be; `label`, if absent. */
  readonly names?: NameRule;
  /** One or two sentences: the head of the generated documentation. */
  readonly description: string;
  readonly spec: S;
  readonly status: T;
  /**
   * Of a built-in kind that has no spec in Kubernetes (Secret, Role): the fields of the object itself, in the place of spec and
   * status, which are empty. See `bodyOf` in project/validate-schema.ts.
   */
  readonly fields?: ObjectSchema;
  /** Paths that a field selector may name, beside metadata.name and metadata.namespace. */
  readonly selectable?: readonly string[];
  readonly columns: readonly Column[];
  /** Spec paths that never change after creation; Terraform replaces the resource instead. */
  readonly immutable: readonly string[];
  readonly references: readonly Reference[];
  /** What changing a spec field costs; fields not named cost `none`. */
  readonly disruption: Readonly<Record<string, Disruption>>;
  /** False: no Terraform resource, because Terraform has a way of its own to say the same. */
  readonly terraform?: false | InTerraform;
  /** Rules across fields that JSON Schema cannot say. Pure; reports every violation. Runs at admission. */
  readonly rules?: (spec: never) => FieldError[];
  /** Of a built-in kind: what a new or changed object is made into before it is looked at, in place. Pure. */
  readonly normalize?: (object: never) => void;
  /** Of a built-in kind: tables show when an object was made, and not its age. */
  readonly showsWhen?: true;
  /** Of a built-in kind: who deletes an object gets it as it was, and not a Status. */
  readonly givesDeleted?: true;
  /** Of a built-in kind: fields that stay as they are when a change does not say them. */
  readonly kept?: readonly string[];
  /**
   * Of a built-in kind: Kubernetes' rules beyond the schema. `before`: what is stored, of a change. Pure; called with objects that
   * have their shape.
   */
  readonly validate?: (object: never, before: never | undefined) => FieldError[];
  /** What of a spec needs a right of its own, beyond that to write the object. Pure; asked again only when it changes. */
  readonly extraRights?: (spec: never) => readonly ExtraRight[];
  /** Field of the spec that lists objects of other kinds: each is admitted as a write of its own would be. */
  readonly declares?: string;
  /** Types of host resources that hosts handle for its sake, by name: what each is, see resources/define.ts. */
  readonly resources?: R;
  /** Where what is stored of an object contradicts itself, so that acting on it could destroy something. Pure. */
  readonly contradiction?: (object: PlumbObject) => FieldError | undefined;
}

/**
 * What a name may be, by Kubernetes' validation: `label` (RFC 1123 label, at most 63), `subdomain` (labels with dots between them,
 * at most 253), `segment` (what can stand in a path, at most 253).
 */
export type NameRule = 'label' | 'subdomain' | 'segment';

/** API group of a kind; empty for the core group. */
export function groupOf({ group = API_GROUP }: Pick<KindDefinition, 'group'>): string {
  return group;
}

/** Group and version as objects of the kind bear them: `plumb.dev/v1`, `v1`, `rbac.authorization.k8s.io/v1`. */
export function apiVersionOf(kind: Pick<KindDefinition, 'group'>): string {
  const group = groupOf(kind);
  return group === '' ? API_VERSION : `${group}/${API_VERSION}`;
}

/** Whether it is one of Kubernetes' own kinds: nothing of it lives on hosts, and no controller of ours says how it is. */
export function isBuiltin({ group = API_GROUP }: Pick<KindDefinition, 'group'>): boolean {
  return group !== API_GROUP;
}

/** Types of host resources by name. */
export type HostResources = { readonly [type: string]: ResourceDefinition };

/** Keeps the literal types of a declaration. */
export function defineKind<
  const S extends ObjectSchema,
  const T extends ObjectSchema,
  const R extends HostResources = Record<never, ResourceDefinition>,
>(definition: KindDefinition<S, T, R>): KindDefinition<S, T, R> {
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
