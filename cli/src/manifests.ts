/** What a person declared: objects of files, folders and standard input, checked before anything is sent. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { type FieldError, type PlumbObject, terminal } from '@plumb/schemas';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import { nearest } from '@plumb/schemas/project/validate-nearest.ts';
import { manifestKinds, type ResourceName, resourceByKind } from './resources.ts';
import { badManifest, readYaml, type YamlDocument } from './yaml-documents.ts';

export interface Manifest {
  resource: ResourceName;
  namespace: string | undefined;
  name: string;
  /** As written. */
  object: PlumbObject;
  /** With defaults: what the server will store. */
  defaulted: PlumbObject;
}

const EXTENSIONS = new Set(['.yaml', '.yml', '.json']);

/**
 * The objects of all sources, in the order in which they were written. `namespace` is that of objects that name none.
 * Throws PlumbError `BadManifest` (terminal) with every mistake of every file.
 */
export async function readManifests(
  sources: readonly string[],
  namespace: string,
  stdin: () => Promise<string>,
): Promise<Manifest[]> {
  if (sources.length === 0) throw terminal('NoManifest', 'say what with -f FILE, -f FOLDER or -f - for standard input');
  const mistakes: FieldError[] = [];
  const manifests: Manifest[] = [];
  const places = new Map<string, string>();
  for (const { file, text } of await readSources(sources, stdin)) {
    for (const { value, locate, prefix } of objectsOf(file, text, mistakes)) {
      const at = (field: string) => locate([...prefix, ...steps(field)]);
      const manifest = toManifest(value, namespace, at, mistakes);
      if (!manifest) continue;
      const identity = `${manifest.resource.plural}/${manifest.namespace ?? ''}/${manifest.name}`;
      const before = places.get(identity);
      if (before)
        mistakes.push({
          field: at('metadata.name'),
          message: `${describeManifest(manifest)} is declared at ${before} too`,
        });
      places.set(identity, at('metadata.name'));
      manifests.push(manifest);
    }
  }
  if (mistakes.length > 0) throw badManifest(mistakes);
  return manifests;
}

/** `instance/web-0`, with its namespace when that is not `default`. */
export function describeManifest({
  resource,
  namespace,
  name,
}: Pick<Manifest, 'resource' | 'namespace' | 'name'>): string {
  return `${resource.singular}/${namespace && namespace !== 'default' ? `${namespace}/` : ''}${name}`;
}

async function readSources(sources: readonly string[], stdin: () => Promise<string>) {
  const read: { file: string; text: string }[] = [];
  for (const source of sources) {
    if (source === '-') {
      read.push({ file: 'standard input', text: await stdin() });
      continue;
    }
    const found = await stat(source).catch(() => undefined);
    if (!found) throw terminal('NoSuchFile', `there is no file or folder ${source}`);
    const files = found.isDirectory() ? await manifestFiles(source) : [source];
    for (const file of files) read.push({ file, text: await readFile(file, 'utf8') });
  }
  return read;
}

async function manifestFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => EXTENSIONS.has(extname(name))).sort();
  if (names.length === 0) throw terminal('NoManifest', `the folder ${folder} holds no .yaml, .yml or .json file`);
  return names.map((name) => join(folder, name));
}

interface Found {
  value: unknown;
  locate: YamlDocument['locate'];
  /** Where in its document the object is: inside a List. */
  prefix: (string | number)[];
}

function objectsOf(file: string, text: string, mistakes: FieldError[]): Found[] {
  let documents: YamlDocument[];
  try {
    documents = readYaml(text, file);
  } catch (error) {
    const { fields } = error as { fields?: FieldError[] };
    if (!fields?.length) throw error;
    mistakes.push(...fields);
    return [];
  }
  return documents.flatMap(({ value, locate }): Found[] => {
    const list = value as { apiVersion?: unknown; kind?: unknown; items?: unknown } | null;
    if (list?.apiVersion !== 'v1' || list.kind !== 'List' || !Array.isArray(list.items)) {
      return [{ value, locate, prefix: [] }];
    }
    return list.items.map((item, index) => ({ value: item, locate, prefix: ['items', index] }));
  });
}

function toManifest(
  value: unknown,
  namespace: string,
  at: (field: string) => string,
  mistakes: FieldError[],
): Manifest | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    mistakes.push({ field: at(''), message: 'is no object: it needs apiVersion, kind and metadata' });
    return undefined;
  }
  const object = value as PlumbObject;
  const resource = resourceByKind(object.apiVersion, object.kind);
  if (!resource || resource.kind === 'Event') {
    mistakes.push({ field: at(object.kind === undefined ? '' : 'kind'), message: unknownKind(object) });
    return undefined;
  }
  const { definition, namespaced } = resource;
  const defaulted = definition ? applyDefaults(definition, structuredClone(object)) : object;
  const errors = definition
    ? validateObject(definition, defaulted, { strictUnknown: true })
    : nameErrors(object.metadata);
  mistakes.push(...errors.map(({ field, message }) => ({ field: at(field), message: `${field} ${message}` })));
  if (errors.length > 0) return undefined;
  return {
    resource,
    namespace: namespaced ? (object.metadata.namespace ?? namespace) : undefined,
    name: object.metadata.name,
    object,
    defaulted,
  };
}

function nameErrors(metadata: { name?: unknown } | undefined): FieldError[] {
  return typeof metadata?.name === 'string' ? [] : [{ field: 'metadata.name', message: 'is required' }];
}

function unknownKind({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }): string {
  if (kind === undefined) return 'kind is required';
  const meant = nearest(String(kind), manifestKinds());
  const said = `there is no kind ${JSON.stringify(kind)} in ${JSON.stringify(apiVersion ?? null)}`;
  if (meant === kind) return `${said}: write apiVersion: ${kind === 'Namespace' ? 'v1' : 'plumb.dev/v1'}`;
  return meant ? `${said}: did you mean ${meant}?` : `${said}; there are ${manifestKinds().join(', ')}`;
}

/** The steps of a field path: `spec.interfaces[0].name`, `metadata.labels[plumb.dev/tier]`. */
function steps(field: string): string[] {
  const parts = field.matchAll(/\[([^\]]*)\]|([^.[\]]+)|\./gy);
  return [...parts].map(([, bracketed, plain]) => bracketed ?? plain).filter((step) => step !== undefined);
}
