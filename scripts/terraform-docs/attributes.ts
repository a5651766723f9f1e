/** Attributes as Terraform's registry shows them. Pure. */
import type { Attribute } from './schema.ts';

/** Nesting of attributes, by the protocol's numbers. */
const NESTING: Readonly<Record<number, string>> = { 1: '', 2: ' List', 3: ' Set', 4: ' Map' };

/** The part of a page that describes what is written and what is told. `from`: the heading's level for nested ones. */
export function schemaText(attributes: readonly Attribute[]): string {
  const nested: { path: string[]; attributes: readonly Attribute[] }[] = [];
  const parts = [groups(attributes, [], '###', nested)];
  for (let at = 0; at < nested.length; at++) {
    const { path, attributes: inner } = nested[at]!;
    const title = `<a id="${anchor(path)}"></a>\n### Nested Schema for \`${path.join('.')}\``;
    parts.push(`${title}\n\n${groups(inner, path, '', nested)}`);
  }
  return parts.join('\n\n');
}

/** `String`, `List of Number`, `Map of String`, as the JSON form of a type says. */
export function typeText(type: Uint8Array): string {
  return named(JSON.parse(Buffer.from(type).toString('utf8')));
}

function groups(
  attributes: readonly Attribute[],
  path: string[],
  level: string,
  nested: { path: string[]; attributes: readonly Attribute[] }[],
): string {
  const of = (title: string, chosen: readonly Attribute[]) =>
    chosen.length === 0
      ? []
      : [
          `${level === '' ? `${title}:` : `${level} ${title}`}\n\n${chosen.map((one) => line(one, path, nested)).join('\n')}`,
        ];
  const sorted = [...attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    ...of(
      'Required',
      sorted.filter(({ required }) => required),
    ),
    ...of(
      'Optional',
      sorted.filter(({ optional, required }) => optional && !required),
    ),
    ...of(
      'Read-Only',
      sorted.filter(({ optional, required }) => !optional && !required),
    ),
  ].join('\n\n');
}

function line(
  attribute: Attribute,
  above: string[],
  nested: { path: string[]; attributes: readonly Attribute[] }[],
): string {
  const { name, type, nestedType, sensitive, writeOnly, deprecated, description = '' } = attribute;
  const path = [...above, name];
  const words = [
    nestedType ? `Attributes${NESTING[nestedType.nesting] ?? ''}` : typeText(type ?? Buffer.from('"dynamic"')),
    ...(sensitive ? ['Sensitive'] : []),
    ...(writeOnly
      ? ['[Write-only](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments)']
      : []),
    ...(deprecated ? ['Deprecated'] : []),
  ];
  if (nestedType) nested.push({ path, attributes: nestedType.attributes });
  const see = nestedType ? ` (see [below for nested schema](#${anchor(path)}))` : '';
  return `- \`${name}\` (${words.join(', ')}) ${shown(description)}${see}`.trimEnd();
}

/** In one line. A pattern is no link, which it may look like. */
function shown(description: string): string {
  return description
    .replace(/\s+/g, ' ')
    .replace(/\((\^\S*\$)\)/g, '(`$1`)')
    .trim();
}

function anchor(path: readonly string[]): string {
  return `nestedatt--${path.join('--')}`;
}

function named(type: unknown): string {
  if (typeof type === 'string') return { string: 'String', number: 'Number', bool: 'Boolean' }[type] ?? 'Dynamic';
  const [of, inner] = type as [string, unknown];
  if (of === 'object') return 'Object';
  if (of === 'tuple') return 'Tuple';
  return `${{ list: 'List', set: 'Set', map: 'Map' }[of] ?? of} of ${named(inner)}`;
}
