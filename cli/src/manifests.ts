/** What a person declared: objects of files, folders and standard input, checked before anything is sent. */

import { badManifest, readYaml, type YamlDocument } from '@plumb/schemas/manifests/documents.ts';
import { decodeText } from '@plumb/schemas/manifests/text.ts';
import { type FieldError, terminal } from '@plumb/schemas/meta/error.ts';
import { API_GROUP_VERSION, type PlumbObject } from '@plumb/schemas/meta/object.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import { nearest } from '@plumb/schemas/project/validate-nearest.ts';
import { type ManifestFile, readSources } from './manifest-files.ts';
import { manifestKinds, type ResourceName, resourceByKind } from './resources.ts';

export interface Manifest {
  resource: ResourceName;
  namespace: string | undefined;
  name: string;
  /** As written. */
  object: PlumbObject;
  /** With defaults: what the server will store. */
  defaulted: PlumbObject;
}

/**
 * The objects of all sources, in the order in which they were written. `namespace` is that of objects that name none.
 * Throws PlumbError `BadManifest` (terminal) with every mistake of every file.
 */
export async function readManifests(
  sources: readonly string[],
  namespace: string,
  stdin: () => Promise<Uint8Array>,
  recursive = false,
): Promise<Manifest[]> {
  if (sources.length === 0)
    throw terminal('NoManifest', 'say what with -f FILE, -f FOLDER, -f - for standard input, or -k FOLDER');
  return manifestsIn(await readSources(sources, stdin, recursive), namespace);
}

/** As {@link readManifests}, of files that are read. */
export function manifestsIn(files: readonly ManifestFile[], namespace: string): Manifest[] {
  const mistakes: FieldError[] = [];
  const manifests: Manifest[] = [];
  const places = new Map<string, string>();
  for (const { file, bytes } of files) {
    for (const { value, locate, prefix } of objectsOf(file, bytes, mistakes)) {
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
  // Most often what was to write them has failed: success would hide it.
  if (manifests.length === 0)
    throw terminal('NoManifest', `there is no object in ${files.map(({ file }) => file).join(', ')}`);
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

interface Found {
  value: unknown;
  locate: YamlDocument['locate'];
  /** Where in its document the object is: inside a List. */
  prefix: (string | number)[];
}

function objectsOf(file: string, bytes: Uint8Array, mistakes: FieldError[]): Found[] {
  let documents: YamlDocument[];
  try {
    documents = readYaml(decodeText(bytes, file), file);
  } catch (error) {
    const { fields } = error as { fields?: FieldError[] };
    if (!fields?.length) throw error;
    mistakes.push(...fields);
    return [];
  }
  return documents.flatMap(({ value, locate }): Found[] => {
    const items = itemsOf(value);
    if (!items) return [{ value, locate, prefix: [] }];
    return items.map((item, index) => ({ value: item, locate, prefix: ['items', index] }));
  });
}

/** The objects of a list: `v1 List`, or of one kind, as the API gives it: what its items are may stand on the list alone. */
function itemsOf(value: unknown): unknown[] | undefined {
  const list = value as { apiVersion?: unknown; kind?: unknown; items?: unknown } | null;
  const found = /^(\w*)List$/.exec(String(list?.kind));
  if (!list || !found || !Array.isArray(list.items)) return undefined;
  const [, kind] = found;
  if (kind === '') return list.apiVersion === 'v1' ? list.items : undefined;
  return list.items.map((item) =>
    typeof item === 'object' && item !== null ? { apiVersion: list.apiVersion, kind, ...item } : item,
  );
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
  if (!namespaced) withoutNamespace(object);
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

/** kustomize writes its namespace into objects of the whole estate, too; Kubernetes clears it. */
function withoutNamespace({ metadata }: PlumbObject): void {
  if (typeof metadata === 'object' && metadata !== null) delete metadata.namespace;
}

function nameErrors(metadata: { name?: unknown } | undefined): FieldError[] {
  return typeof metadata?.name === 'string' ? [] : [{ field: 'metadata.name', message: 'is required' }];
}

function unknownKind({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }): string {
  if (kind === undefined) return 'kind is required';
  const meant = nearest(String(kind), manifestKinds());
  if (apiVersion === undefined || apiVersion === null || apiVersion === '')
    return `apiVersion is required${meant === kind ? `: write apiVersion: ${versionOf(kind)}` : ''}`;
  const said = `there is no kind ${shown(kind)} in ${shown(apiVersion)}`;
  if (meant === kind) return `${said}: write apiVersion: ${versionOf(kind)}`;
  return meant ? `${said}: did you mean ${meant}?` : `${said}; there are ${manifestKinds().join(', ')}`;
}

function versionOf(kind: unknown): string {
  return kind === 'Namespace' ? 'v1' : API_GROUP_VERSION;
}

/** The steps of a field path: `spec.interfaces[0].name`, `metadata.labels[plumb.dev/tier]`. */
function steps(field: string): string[] {
  const parts = field.matchAll(/\[([^\]]*)\]|([^.[\]]+)|\./gy);
  return [...parts].map(([, bracketed, plain]) => bracketed ?? plain).filter((step) => step !== undefined);
}
