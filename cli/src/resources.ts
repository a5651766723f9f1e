/** Names of what the command works on, and where the API has it. */
import { collectionPath as pathOfCollection, objectPath as pathOfObject } from '@plumb/client/paths.ts';
import { API_GROUP_VERSION, type KindDefinition, kindByAlias, kindByName, kinds, terminal } from '@plumb/schemas';
import { nearest } from '@plumb/schemas/project/validate-nearest.ts';

export interface ResourceName {
  apiVersion: string;
  kind: string;
  plural: string;
  singular: string;
  namespaced: boolean;
  /** Absent on core kinds. */
  definition?: KindDefinition;
}

const core: (ResourceName & { aliases: string[] })[] = [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    plural: 'namespaces',
    singular: 'namespace',
    namespaced: false,
    aliases: ['namespace', 'namespaces', 'ns', 'project', 'projects'],
  },
  {
    apiVersion: 'v1',
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    namespaced: true,
    aliases: ['event', 'events', 'ev'],
  },
];

/** What a person calls it: kind, plural, singular or short name. Throws PlumbError `UnknownKind` (terminal). */
export function resourceByAlias(word: string): ResourceName {
  const definition = kindByAlias(word);
  if (definition) return nameOf(definition);
  const found = core.find(({ aliases }) => aliases.includes(word.toLowerCase()));
  if (found) return found;
  const known = [...kinds.flatMap((k) => [k.plural, k.singular, ...k.shortNames]), ...core.flatMap((k) => k.aliases)];
  const meant = nearest(word, known);
  throw terminal(
    'UnknownKind',
    `there is no kind ${JSON.stringify(word)}${meant ? `: did you mean ${meant}?` : `; there are ${kinds.map((k) => k.plural).join(', ')}`}`,
  );
}

/** The kind that a manifest names, or undefined. */
export function resourceByKind(apiVersion: unknown, kind: unknown): ResourceName | undefined {
  if (apiVersion === 'v1') return core.find((resource) => resource.kind === kind);
  const definition = typeof kind === 'string' ? kindByName(kind) : undefined;
  return definition && apiVersion === API_GROUP_VERSION ? nameOf(definition) : undefined;
}

/** Every kind that a manifest may name. */
export function manifestKinds(): string[] {
  return [...kinds.map(({ kind }) => kind), 'Namespace'];
}

function nameOf(definition: KindDefinition): ResourceName {
  return {
    apiVersion: API_GROUP_VERSION,
    kind: definition.kind,
    plural: definition.plural,
    singular: definition.singular,
    namespaced: definition.scope === 'Namespaced',
    definition,
  };
}

/** The path of a collection; of every namespace, if none is given. */
export function collectionPath(resource: ResourceName, namespace: string | undefined): string {
  return pathOfCollection(resource, resource.namespaced ? namespace : undefined);
}

export function objectPath(resource: ResourceName, namespace: string | undefined, name: string): string {
  return pathOfObject(resource, resource.namespaced ? namespace : undefined, name);
}
