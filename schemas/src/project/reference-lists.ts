/** What apply owns one by one of the lists of each kind: docs/reference/lists.md. */
import type { KindDefinition } from '../kinds/define.ts';
import { objectMeta } from '../meta/schema.ts';
import { markdownTable } from './reference-fields.ts';
import { bodyOf, type SchemaNode, schemaNode } from './validate-schema.ts';

/** A list of a kind. */
export interface ListField {
  /** Path of the list: `spec.interfaces[].addresses`. */
  path: string;
  /** map, set or atomic; undefined where the schema does not say it. */
  type: string | undefined;
  /** Of a map: the fields that say which item is which. */
  keys: readonly string[];
}

/** Every list of spec and status, or of the fields of a built-in kind, in their order. */
export function listsOf(kind: KindDefinition): ListField[] {
  return Object.entries(bodyOf(kind)).flatMap(([name, schema]) => listsIn(schema, name));
}

function listsIn(schema: SchemaNode, path: string): ListField[] {
  const { properties = {}, additionalProperties, items } = schema;
  const found: ListField[] = [];
  if (schema.type === 'array') {
    found.push({ path, type: schema['x-kubernetes-list-type'], keys: schema['x-kubernetes-list-map-keys'] ?? [] });
    if (items) found.push(...listsIn(items, `${path}[]`));
  }
  for (const [name, field] of Object.entries(properties)) found.push(...listsIn(field, `${path}.${name}`));
  if (typeof additionalProperties === 'object') found.push(...listsIn(additionalProperties, `${path}.*`));
  return found;
}

/** The lists that every object has in its metadata. */
export function metadataLists(): ListField[] {
  return listsIn(schemaNode(objectMeta), 'metadata');
}

/** The whole page. */
export function listsPage(kinds: readonly KindDefinition[]): string {
  const row = (kind: string, { path, type, keys }: ListField) => [
    kind,
    `\`${path}\``,
    `${type}${keys.length > 0 ? ` by ${keys.join(' and ')}` : ''}`,
  ];
  const rows = [
    ...metadataLists().map((list) => row('every kind', list)),
    ...kinds.flatMap((kind) => listsOf(kind).map((list) => row(kind.kind, list))),
  ];
  const parts = [
    '<!-- This page is written by `node scripts/build-docs.ts` from `schemas/src/`. -->',
    '# Lists',
    'Who applies an object (`kubectl apply --server-side`, `plumb apply`, Terraform) owns the fields that the declaration names. Of lists the schema says what is owned:',
    '- **map**: each item by its keys, and each field of it. Two declarations may each add items, and fields of one item.\n- **set**: each item. Two declarations may each add items.\n- **atomic**: the list as a whole. Of two declarations that name it, one has it.',
    markdownTable(['Kind', 'List', 'Owned as'], rows),
    'The other fields: objects are owned field by field, maps with keys of your choice (labels, annotations, selectors) key by key.',
    'Why each is what it is: [decision 29](../decisions/0029-who-owns-what.md).',
  ];
  return `${parts.join('\n\n')}\n`;
}
