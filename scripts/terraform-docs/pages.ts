/**
 * docs/terraform/, in the layout of Terraform's registry: a page for everything that the provider serves, with the example that
 * lies in examples/ under its name. Pages in guides/ are written by people.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build-inputs.ts';
import { schemaText, typeText } from './attributes.ts';
import { type ProviderFunction, type Schema, type Served, served } from './schema.ts';

export const terraformFolder = join(root, 'docs', 'terraform');
const examples = join(root, 'examples');

interface Group {
  /** Folder of the pages, and of the examples. */
  folder: string;
  /** The file of an example. */
  file: string;
  /** In a title. */
  word: string;
  of: (all: Served) => Record<string, Schema>;
}

export const GROUPS: readonly Group[] = [
  { folder: 'resources', file: 'resource.tf', word: 'Resource', of: (all) => all.resources },
  { folder: 'data-sources', file: 'data-source.tf', word: 'Data Source', of: (all) => all.dataSources },
  {
    folder: 'ephemeral-resources',
    file: 'ephemeral-resource.tf',
    word: 'Ephemeral Resource',
    of: (all) => all.ephemeralResources,
  },
  {
    folder: 'list-resources',
    file: 'list-resource.tfquery.hcl',
    word: 'List Resource',
    of: (all) => all.listResources,
  },
  { folder: 'actions', file: 'action.tf', word: 'Action', of: (all) => all.actions },
];

/** The folders that hold nothing but what is written here. */
export const MADE_FOLDERS: readonly string[] = [...GROUPS.map(({ folder }) => folder), 'functions'];

/** The content of every page by its path below docs/terraform. */
export async function terraformPages(): Promise<Map<string, string>> {
  const all = await served();
  const pages = new Map([['index.md', indexPage(all)]]);
  for (const group of GROUPS)
    for (const [type, schema] of Object.entries(group.of(all)))
      pages.set(`${group.folder}/${type.replace(/^plumb_/, '')}.md`, page(group, type, schema));
  for (const [name, one] of Object.entries(all.functions)) pages.set(`functions/${name}.md`, functionPage(name, one));
  return pages;
}

/** What has no example, by the path that it would have below examples/. */
export async function missingExamples(): Promise<string[]> {
  const all = await served();
  const wanted = [
    'provider/provider.tf',
    ...GROUPS.flatMap(({ folder, file, of }) => Object.keys(of(all)).map((type) => `${folder}/${type}/${file}`)),
    ...Object.keys(all.resources).map((type) => `resources/${type}/import.sh`),
    ...Object.keys(all.functions).map((name) => `functions/${name}/function.tf`),
  ];
  return wanted.filter((path) => !existsSync(join(examples, path)));
}

/** Examples of what is no longer served. */
export async function strayExamples(): Promise<string[]> {
  const all = await served();
  const names = (folder: string) => (existsSync(join(examples, folder)) ? readdirSync(join(examples, folder)) : []);
  return [
    ...GROUPS.flatMap(({ folder, of }) =>
      names(folder)
        .filter((name) => !(name in of(all)))
        .map((name) => `${folder}/${name}`),
    ),
    ...names('functions')
      .filter((name) => !(name in all.functions))
      .map((name) => `functions/${name}`),
  ];
}

function indexPage({ provider }: Served): string {
  return joined([
    head('plumb Provider', '', provider.block.description ?? ''),
    '# plumb Provider',
    provider.block.description ?? '',
    'What to know before you begin: [Terraform: what to know](../how-to/terraform.md).',
    section('Example Usage', example('provider/provider.tf')),
    `## Schema\n\n${schemaText(provider.block.attributes ?? [])}`,
  ]);
}

function page({ folder, file, word }: Group, type: string, { block }: Schema): string {
  const { description = '', attributes = [] } = block;
  const project = attributes.some(({ name }) => name === 'project');
  const resource = folder === 'resources';
  const byIdentity = resource ? example(`resources/${type}/import-by-identity.tf`) : undefined;
  const imports = [example(`${folder}/${type}/import.sh`, 'shell'), byIdentity].filter((one) => one !== undefined);
  return joined([
    head(`${type} ${word}`, project ? 'Of a project' : 'Of the estate', description),
    `# ${type} (${word})`,
    description,
    section('Example Usage', example(`${folder}/${type}/${file}`)),
    `## Schema\n\n${schemaText(attributes)}`,
    resource && imports.length > 0 ? section('Import', imports.join('\n\n')) : '',
  ]);
}

function functionPage(
  name: string,
  { summary = '', description = '', parameters = [], ...more }: ProviderFunction,
): string {
  const all = [...parameters, ...(more.variadicParameter ? [more.variadicParameter] : [])];
  const arguments_ = all.map(
    (one) =>
      `1. \`${one.name}\` (${typeText(one.type)}${one === more.variadicParameter ? ', Variadic' : ''}${one.allowNullValue ? ', Nullable' : ''}) ${one.description ?? ''}`,
  );
  const signature = `${name}(${all.map((one) => `${one.name} ${typeText(one.type).toLowerCase()}${one === more.variadicParameter ? '...' : ''}`).join(', ')}) ${typeText(more.return.type).toLowerCase()}`;
  return joined([
    head(`${name} function`, '', summary),
    `# function: ${name}`,
    description || summary,
    section('Example Usage', example(`functions/${name}/function.tf`)),
    `## Signature\n\n\`\`\`text\n${signature}\n\`\`\``,
    `## Arguments\n\n${arguments_.join('\n')}`,
  ]);
}

function head(title: string, subcategory: string, description: string): string {
  const lines = description.trim().split('\n');
  return [
    '---',
    `page_title: ${JSON.stringify(title.endsWith('Provider') ? title : `${title} - plumb`)}`,
    `subcategory: ${JSON.stringify(subcategory)}`,
    'description: |-',
    ...lines.map((one) => `  ${one}`),
    '---',
  ].join('\n');
}

function section(title: string, text: string | undefined): string {
  return text === undefined ? '' : `## ${title}\n\n${text}`;
}

/** A file below examples/, fenced; undefined where there is none. */
function example(path: string, language = 'terraform'): string | undefined {
  const file = join(examples, path);
  return existsSync(file) ? `\`\`\`${language}\n${readFileSync(file, 'utf8').trimEnd()}\n\`\`\`` : undefined;
}

function joined(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
