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

/** Words for all kinds of Plumb's own: kubectl's, and the category that discovery says. */
const CATEGORIES: ReadonlySet<string> = new Set(['all', 'plumb']);

/** As {@link resourceByAlias}; several for a category. */
export function resourcesByWord(word: string): ResourceName[] {
  if (!CATEGORIES.has(word.toLowerCase())) return [resourceByAlias(word)];
  return everyKind.filter((kind) => !isBuiltin(kind)).map(nameOf);
}

/**
 * What a person calls it: kind, plural, singular or short name, also with its group behind a dot, or version and group, as kubectl has
 * it: `zones.plumb.dev`, `zones.v1.plumb.dev`. Throws PlumbError `UnknownKind` (terminal).
 */
export function resourceByAlias(word: string): ResourceName {
  const dot = word.indexOf('.');
  if (dot < 0) return resourceByWord(word);
  const group = word.slice(dot + 1).toLowerCase();
  const found = resourceByWord(word.slice(0, dot));
  const slash = found.apiVersion.lastIndexOf('/');
  const own = found.apiVersion.slice(0, Math.max(0, slash));
  const version = found.apiVersion.slice(slash + 1);
  if (group === own || group === (own === '' ? version : `${version}.${own}`)) return found;
  const meant = own === '' ? found.plural : `${found.plural}.${own}`;
  throw terminal('UnknownKind', `there is no kind ${JSON.stringify(word)}: did you mean ${meant}?`);
}

function resourceByWord(word: string): ResourceName {
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
