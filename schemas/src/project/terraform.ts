/** A kind as a Terraform resource and data source. Pure; the provider turns it into the messages of the protocol. */
import { isBuiltin, type KindDefinition } from '../kinds/define.ts';
import { NAME_PATTERN, nameRules } from '../meta/schema.ts';
import { attributesOf, refuseTwins, type TerraformAttribute, unprojectable } from './terraform-attribute.ts';
import { manyOf, pluralType, selectionOf } from './terraform-many.ts';
import { snakeCase } from './terraform-name.ts';
import { type SchemaNode, schemaNode } from './validate-schema.ts';

export type { TerraformAttribute, TerraformType } from './terraform-attribute.ts';
export { snakeCase } from './terraform-name.ts';

/** The project of an object that names none. */
export const DEFAULT_PROJECT = 'default';

export interface TerraformKind {
  /** `plumb_l3_network`: the type of the resource and of the data source. */
  typeName: string;
  /** Types that the resource had before. */
  formerly: string[];
  kind: KindDefinition;
  /** The attributes that stand for `spec`; they are top-level in both blocks. */
  spec: TerraformAttribute[];
  /** The attributes inside `status`: uid, `ready` and the settled leaves. */
  status: TerraformAttribute[];
  /** All top-level attributes of the resource. */
  resource: TerraformAttribute[];
  /** All top-level attributes of the data source. */
  dataSource: TerraformAttribute[];
  /** `plumb_l3_networks`: the type of the data source that has many. */
  pluralType: string;
  /** By which objects are chosen, where many are meant: the attributes of a list. */
  selection: TerraformAttribute[];
  /** All top-level attributes of the plural data source. */
  plural: TerraformAttribute[];
  /** Which object it is: name, and project. Both stay as long as the object is there. */
  identity: TerraformAttribute[];
  /** Paths of attributes whose change replaces the resource, as names from the top. */
  replacedBy: string[][];
}

/** What the provider itself means by these names, and the meta-arguments that Terraform takes for itself. */
const RESERVED = new Set([
  ...['name', 'project', 'labels', 'annotations', 'status', 'timeouts'],
  ...['count', 'for_each', 'depends_on', 'provider', 'lifecycle', 'connection', 'provisioner'],
]);

/** Projects a kind. Throws a terminal `NotProjectable` where Terraform cannot say what the schema says. */
export function terraformKind(kind: KindDefinition): TerraformKind {
  const spec = attributesOf(schemaNode(kind.fields ?? kind.spec), 'declared', `${kind.kind}.spec`);
  for (const { name, field } of spec) {
    if (RESERVED.has(name)) throw unprojectable(`${kind.kind}.spec.${field}`, `${name} is reserved`);
  }
  refuseTwins(spec, `${kind.kind}.spec`);
  const status = statusOf(kind);
  const says = kind.terraform === false ? {} : (kind.terraform ?? {});
  const typeName = `plumb_${says.type ?? snakeCase(kind.kind)}`;
  const dataSource = [...identity(kind, false), ...spec.map(told), ...keys('dataSource'), statusAttribute(status)];
  return {
    typeName,
    pluralType: pluralType(typeName, kind),
    selection: selectionOf(kind),
    plural: manyOf(kind, dataSource),
    formerly: (says.formerly ?? []).map((type) => `plumb_${type}`),
    kind,
    spec,
    status,
    resource: [...identity(kind, true), ...spec, ...keys('resource'), timeouts(), statusAttribute(status)],
    dataSource,
    identity: identity(kind, false).map(({ default: _, computed: __, ...attribute }) => attribute),
    replacedBy: [
      ['name'],
      ...(kind.scope === 'Namespaced' ? [['project']] : []),
      ...kind.immutable.map((path) => path.split('.').map(snakeCase)),
    ],
  };
}

function identity(kind: KindDefinition, resource: boolean): TerraformAttribute[] {
  const fixed = resource ? ' A change replaces the object.' : '';
  const rule =
    (kind.names ?? 'label') === 'label'
      ? `Lower case letters, digits and dashes, at most 63 (${NAME_PATTERN}).`
      : nameRules[kind.names!].description;
  const name: TerraformAttribute = {
    name: 'name',
    field: 'name',
    description: `Name of the ${kind.kind}. ${rule}${fixed}`,
    type: 'string',
    required: true,
  };
  if (kind.scope === 'Cluster') return [name];
  const project: TerraformAttribute = {
    name: 'project',
    field: 'namespace',
    description: `Project that it belongs to.${fixed}`,
    type: 'string',
    optional: true,
    computed: true,
    default: DEFAULT_PROJECT,
  };
  return [name, project];
}

function keys(block: 'resource' | 'dataSource'): TerraformAttribute[] {
  const mode = block === 'resource' ? { optional: true as const } : { computed: true as const };
  const own = block === 'resource' ? ' Keys that are not written here are left alone.' : '';
  const describe = (name: string, description: string): TerraformAttribute => ({
    name,
    field: name,
    description: `${description}${own}`,
    type: ['map', 'string'],
    ...mode,
  });
  return [
    describe('labels', 'Key and value pairs by which objects are selected and grouped.'),
    describe('annotations', 'Notes of tools and people; Plumb does not interpret them.'),
  ];
}

function timeouts(): TerraformAttribute {
  const one = (name: string, waits: string): TerraformAttribute => ({
    name,
    field: name,
    description: `How long ${waits}, as in 90s, 5m or 1h30m. Default: 10m.`,
    type: 'string',
    optional: true,
  });
  return {
    name: 'timeouts',
    field: 'timeouts',
    description: 'How long Terraform waits.',
    nested: {
      nesting: 'single',
      attributes: [
        one('create', 'to wait for a new object to be Ready'),
        one('update', 'to wait for a changed object to be Ready'),
        one('delete', 'to wait for a deleted object to be gone'),
      ],
    },
    optional: true,
  };
}

function statusAttribute(attributes: TerraformAttribute[]): TerraformAttribute {
  return {
    name: 'status',
    field: 'status',
    description: 'What is, as far as it stays: no conditions, times or counters.',
    nested: { nesting: 'single', attributes },
    computed: true,
  };
}

/** The one leaf that moves by itself: a state that hides that an object is not as declared looks like one that needs nothing. */
const READY: TerraformAttribute = {
  name: 'ready',
  field: 'ready',
  description:
    'Whether the object is as it was declared. As long as it is not, every plan shows a change, and an apply waits until it is.',
  type: 'bool',
  computed: true,
  alteredBy: [],
};

function statusOf(kind: KindDefinition): TerraformAttribute[] {
  const uid: TerraformAttribute = {
    name: 'uid',
    field: 'uid',
    description: 'Identity of the object, unique in time and space.',
    type: 'string',
    computed: true,
    alteredBy: [],
  };
  // Kubernetes' own kinds are what they are once they are written.
  const last = isBuiltin(kind) ? [] : [READY];
  const schema = settled(schemaNode(kind.status));
  if (!schema) return [uid, ...last];
  const leaves = attributesOf(schema, 'computed', `${kind.kind}.status`).map((leaf) => {
    const alteredBy = schema.properties?.[leaf.field]?.['x-plumb-altered-by'] as readonly string[] | undefined;
    const unknown = alteredBy?.find((field) => !Object.hasOwn(kind.spec.properties, field));
    if (unknown) throw unprojectable(`${kind.kind}.status.${leaf.field}`, `spec has no field ${unknown}`);
    return alteredBy ? { ...leaf, alteredBy: alteredBy.map(snakeCase) } : leaf;
  });
  return [uid, ...leaves, ...last];
}

/** The part of a schema that is marked `x-plumb-settled`, and secrets never; undefined where nothing is. */
function settled(schema: SchemaNode): SchemaNode | undefined {
  const properties: Record<string, SchemaNode> = {};
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    if (property['x-plumb-sensitive']) continue;
    const kept = property['x-plumb-settled'] === true ? property : settled(property);
    if (kept) properties[field] = kept;
  }
  return Object.keys(properties).length > 0 ? { ...schema, properties } : undefined;
}

/** A declared attribute as a data source tells it. */
function told(attribute: TerraformAttribute): TerraformAttribute {
  const { name, field, description, type, nested, sensitive } = attribute;
  return {
    name,
    field,
    description,
    ...(type ? { type } : {}),
    ...(nested ? { nested: { nesting: nested.nesting, attributes: nested.attributes.map(told) } } : {}),
    computed: true,
    ...(sensitive ? { sensitive } : {}),
  };
}
