/** Names of what the command works on, and where the API has it. */
import { collectionPath as pathOfCollection, objectPath as pathOfObject } from '@plumb/client/paths.ts';
import { apiVersionOf, isBuiltin, type KindDefinition } from '@plumb/schemas/kinds/define.ts';
import { everyKind, kindByAlias, kindOf, namespace } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { nearest } from '@plumb/schemas/project/validate-nearest.ts';

export interface ResourceName {
  apiVersion: string;
  kind: string;
  plural: string;
  singular: string;
  namespaced: boolean;
  /** Absent on events. */
  definition?: KindDefinition;
}

const core: (ResourceName & { aliases: string[] })[] = [
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
  const definition = kindByAlias(word) ?? (/^projects?$/i.test(word) ? namespace : undefined);
  if (definition) return nameOf(definition);
  const found = core.find(({ aliases }) => aliases.includes(word.toLowerCase()));
  if (found) return found;
  const known = [
    ...everyKind.flatMap((k) => [k.plural, k.singular, ...k.shortNames]),
    ...core.flatMap((k) => k.aliases),
  ];
  const meant = nearest(word, known);
  throw terminal(
    'UnknownKind',
    `there is no kind ${JSON.stringify(word)}${meant ? `: did you mean ${meant}?` : `; there are ${everyKind.map((k) => k.plural).join(', ')}`}`,
  );
}

/** The kind that a manifest names, or undefined. */
export function resourceByKind(apiVersion: unknown, kind: unknown): ResourceName | undefined {
  const definition = kindOf({ apiVersion, kind });
  if (definition) return nameOf(definition);
  return core.find((resource) => resource.kind === kind && resource.apiVersion === apiVersion);
}

/** Every kind that a manifest may name. */
export function manifestKinds(): string[] {
  return everyKind.map(({ kind }) => kind);
}

/** Whether it is a kind of Plumb's own: such objects become Ready, and can be planned and applied as one. */
export function isOwn({ definition }: Pick<ResourceName, 'definition'>): boolean {
  return definition !== undefined && !isBuiltin(definition);
}

function nameOf(definition: KindDefinition): ResourceName {
  return {
    apiVersion: apiVersionOf(definition),
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
