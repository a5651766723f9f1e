/** The reference page of a kind, as Markdown: every field by its two names, with the rules that the schema states. */
import { apiVersionOf, isBuiltin, type KindDefinition } from '../kinds/define.ts';
import { fieldsOf, fieldTable, markdownTable } from './reference-fields.ts';
import { snakeCase, type TerraformKind, terraformKind } from './terraform.ts';
import { hasStatus, type SchemaNode, schemaNode } from './validate-schema.ts';

/** The name of the page's file: `l3-network.md`. */
export function referenceFile(kind: KindDefinition): string {
  return `${snakeCase(kind.kind).replaceAll('_', '-')}.md`;
}

/** The whole page of one kind. */
export function referencePage(kind: KindDefinition): string {
  const terraform = kind.terraform === false ? undefined : terraformKind(kind);
  const sections = [
    `# ${kind.kind}`,
    kind.description,
    names(kind, terraform),
    ...(kind.fields
      ? [
          '## Fields',
          ...(terraform ? ['In YAML these are fields of the object; in HCL they are attributes of the resource.'] : []),
        ]
      : [
          '## Spec',
          ...(terraform ? ['In YAML these are fields of `spec`; in HCL they are attributes of the resource.'] : []),
        ]),
    fieldTable(fieldsOf(kind), terraform !== undefined),
    ...(hasStatus(kind)
      ? [
          '## Status',
          ...(terraform
            ? ['In HCL, `status` holds only what has a name there: what stays as it is once the object is Ready.']
            : []),
          statusTable(schemaNode(kind.status), terraform),
        ]
      : []),
    ...(terraform ? ['## Terraform', terraformPart(terraform)] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** The page that lists the others. */
export function referenceIndex(kinds: readonly KindDefinition[]): string {
  const rows = kinds.map((kind) => [
    `[${kind.kind}](${referenceFile(kind)})`,
    kind.terraform === false ? '' : `\`${terraformKind(kind).typeName}\``,
    scopeOf(kind),
    kind.description,
  ]);
  const note = '<!-- These pages are written by `node scripts/build-docs.ts` from `schemas/src/kinds/`. -->';
  return `${note}\n\n# Kinds\n\n${markdownTable(['Kind', 'Terraform', 'Scope', 'What it is'], rows)}\n\nEvery bound of server and agent: [Limits](limits.md). What of a list is owned by whom: [Lists](lists.md). Which change makes a controller look at what: [who wakes whom](who-wakes-whom.md).\n`;
}

function names(kind: KindDefinition, terraform: TerraformKind | undefined): string {
  const words = [kind.plural, kind.singular, ...kind.shortNames].map((word) => `\`${word}\``).join(', ');
  const project = kind.scope === 'Namespaced';
  return markdownTable(
    ['', ''],
    [
      ['YAML', `\`apiVersion: ${apiVersionOf(kind)}\`, \`kind: ${kind.kind}\``],
      ...(terraform ? [['HCL', `resource and data source \`${terraform.typeName}\``]] : []),
      ['kubectl, plumb', words],
      ['Scope', scopeOf(kind)],
      ['Name', `\`metadata.name\`${terraform ? ', in HCL `name`' : ''}`],
      ...(project ? [['Project', `\`metadata.namespace\`${terraform ? ', in HCL `project`' : ''}; \`default\``]] : []),
    ],
  );
}

function scopeOf(kind: KindDefinition): string {
  return kind.scope === 'Namespaced' ? 'project' : 'estate';
}

function statusTable(schema: SchemaNode, terraform: TerraformKind | undefined): string {
  const rows = Object.entries(schema.properties ?? {}).map(([field, property]) => {
    const held = terraform?.status.find((leaf) => leaf.field === field);
    const meaning = property.description ?? '';
    return [`\`${field}\``, ...(terraform ? [held ? `\`status.${held.name}\`` : ''] : []), meaning];
  });
  if (!terraform) return markdownTable(['YAML', 'Meaning'], rows);
  const uid = ['`metadata.uid`', '`status.uid`', 'Identity of the object, unique in time and space.'];
  return markdownTable(['YAML', 'HCL', 'Meaning'], [uid, ...rows]);
}

function terraformPart({ typeName, kind }: TerraformKind): string {
  const namespaced = kind.scope === 'Namespaced';
  const id = namespaced ? 'PROJECT/NAME' : 'NAME';
  const also = namespaced ? ', or `NAME` in the project `default`' : '';
  const waits = [
    'Terraform waits until the object is Ready, at most 10 minutes unless `timeouts` says otherwise:',
    '`timeouts = { create = "20m", update = "5m", delete = "5m" }`.',
    '',
  ];
  return [
    ...(isBuiltin(kind) ? [] : waits),
    `An object that is there already is imported by \`${id}\`${also}:`,
    '',
    '```sh',
    `terraform import ${typeName}.example ${id}`,
    '```',
  ].join('\n');
}
