/** The fields of a spec as rows of a table. */
import type { KindDefinition } from '../kinds/define.ts';
import { snakeCase } from './terraform-name.ts';
import { hasSensitiveValues, isSensitive, type SchemaNode, schemaNode } from './validate-schema.ts';

export interface Field {
  yaml: string;
  hcl: string;
  type: string;
  rules: string[];
  description: string;
}

/** Every field of the spec, at every depth, each with the path by which it is written. */
export function fieldsOf(kind: KindDefinition): Field[] {
  return below(schemaNode(kind.fields ?? kind.spec), '', kind);
}

export function fieldTable(fields: readonly Field[], withHcl: boolean): string {
  const rows = fields.map(({ yaml, hcl, type, rules, description }) => [
    `\`${yaml}\``,
    ...(withHcl ? [hcl === '' ? '' : `\`${hcl}\``] : []),
    type,
    rules.join('; '),
    description,
  ]);
  return markdownTable(['YAML', ...(withHcl ? ['HCL'] : []), 'Type', 'Rules', 'Meaning'], rows);
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function below(schema: SchemaNode, path: string, kind: KindDefinition): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const yaml = `${path}${name}`;
    const required = schema.required?.includes(name) === true;
    const field: Field = {
      yaml,
      hcl: property['x-plumb-terraform'] === false ? '' : yaml.split('.').map(snakeCase).join('.'),
      type: typeName(property),
      rules: rulesOf(property, required, yaml, kind),
      description: property.description ?? '',
    };
    const inner = property.items ?? property;
    return [field, ...below(inner, `${yaml}${property.items ? '[].' : '.'}`, kind)];
  });
}

function typeName({ type, items, properties, additionalProperties }: SchemaNode): string {
  if (type === 'array') return `list of ${plural(typeName(items ?? {}))}`;
  if (type === 'object' && !properties && typeof additionalProperties === 'object') {
    return `map of ${plural(typeName(additionalProperties))}`;
  }
  return type ?? 'any';
}

function plural(type: string): string {
  return /^(list|map|any)/.test(type) ? type : `${type}s`;
}

function rulesOf(schema: SchemaNode, required: boolean, path: string, kind: KindDefinition): string[] {
  const says = (keyword: string, text: (value: string) => string) =>
    schema[keyword] === undefined ? [] : [text(String(schema[keyword]))];
  const reference = kind.references.find((r) => r.path === path);
  const disruption = kind.disruption[path];
  const keys = schema['x-kubernetes-list-map-keys'];
  return [
    ...(required && schema.default === undefined ? ['required'] : []),
    ...(schema.default === undefined ? [] : [`default \`${shown(schema.default)}\``]),
    ...(schema.enum ? [`one of ${schema.enum.map((word) => `\`${shown(word)}\``).join(', ')}`] : []),
    ...says('minimum', (n) => `at least ${n}`),
    ...says('maximum', (n) => `at most ${n}`),
    ...says('minItems', (n) => `at least ${counted(n, 'item')}`),
    ...says('maxItems', (n) => `at most ${counted(n, 'item')}`),
    ...says('maxLength', (n) => `at most ${counted(n, 'character')}`),
    ...says('format', (format) => `format ${format}`),
    ...says('pattern', (pattern) => `matches \`${pattern}\``),
    ...(schema.items?.format ? [`each of format ${schema.items.format}`] : []),
    ...(keys ? [`unique by ${keys.join(', ')}`] : []),
    ...(reference ? [`refers to ${reference.kind}`] : []),
    ...(kind.immutable.includes(path) ? ['fixed at creation'] : []),
    ...(disruption && disruption !== 'none' ? [`a change costs: ${disruption}`] : []),
    ...(isSensitive(schema) || hasSensitiveValues(schema) ? ['secret'] : []),
    ...(schema['x-plumb-sensitive'] === 'url' ? ['shown without name, password and query'] : []),
  ];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function counted(count: string, noun: string): string {
  return `${count} ${noun}${count === '1' ? '' : 's'}`;
}
