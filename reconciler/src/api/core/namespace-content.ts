/** What is in a namespace, and what of it may go now: first what nothing else in it refers to. */
import { everyKind, isBuiltin, type KindDefinition, type PlumbObject } from '@plumb/schemas';
import { isProtected } from '@plumb/schemas/meta/protection.ts';
import { referenceKeys } from '../../runtime/references.ts';
import { keys } from '../../store/keys.ts';
import { pages } from '../../store/pages.ts';
import type { Store } from '../../store/store.ts';
import { storedObject } from '../readable.ts';
import { resourceOfKind, type WritableResource } from '../resource.ts';
import { defaultServiceAccountKey } from './default-service-account.ts';

/** One object of a namespace. */
export interface Held {
  key: string;
  resource: WritableResource;
  name: string;
  isMarked: boolean;
  isProtected: boolean;
  finalizers: readonly string[];
  /** Keys of what it refers to. */
  refersTo: readonly string[];
}

/** Everything in the namespace, but the ServiceAccount that comes and goes with it. */
export async function contentOf(store: Store, namespace: string): Promise<Held[]> {
  const content: Held[] = [];
  for (const kind of everyKind) {
    if (kind.scope !== 'Namespaced') continue;
    const resource = resourceOfKind(kind, store);
    for await (const { entries } of pages(store, keys.namespace(kind.plural, namespace)))
      for (const entry of entries)
        if (entry.key !== defaultServiceAccountKey(namespace))
          content.push(heldOf(kind, resource, entry.key, storedObject(resource, entry).object));
  }
  return content;
}

function heldOf(kind: KindDefinition, resource: WritableResource, key: string, object: PlumbObject): Held {
  const { metadata } = object;
  return {
    ...{ key, resource, name: key.slice(key.lastIndexOf('/') + 1) },
    isMarked: metadata.deletionTimestamp !== undefined,
    isProtected: isProtected(object),
    finalizers: metadata.finalizers ?? [],
    refersTo: isBuiltin(kind) ? [] : referenceKeys(kind, object),
  };
}

/**
 * What is to be deleted next. An object that others in the namespace refer to waits for them, so that what is protected keeps what
 * it needs. Secrets, accounts and rights go last: what is on its way out may still use them.
 */
export function next(content: readonly Held[]): Held[] {
  const wanted = new Set(content.flatMap(({ refersTo }) => refersTo));
  const hasGuests = content.some(({ resource }) => !isBuiltin(resource.definition));
  const open = content.filter(
    ({ resource, isMarked, isProtected: kept }) => !isMarked && !kept && !(hasGuests && isBuiltin(resource.definition)),
  );
  const unwanted = open.filter(({ key }) => !wanted.has(key));
  if (unwanted.length > 0) return unwanted;
  // What is left names each other in a circle, or is needed by what stays.
  const needed = neededBy(
    content.filter((one) => one.isMarked || one.isProtected),
    content,
  );
  return open.filter(({ key }) => !needed.has(key));
}

/** Keys of what these refer to, and of what that refers to. */
function neededBy(these: readonly Held[], content: readonly Held[]): Set<string> {
  const byKey = new Map(content.map((one) => [one.key, one]));
  const found = new Set<string>();
  for (const waiting = [...these]; waiting.length > 0; )
    for (const key of waiting.pop()!.refersTo)
      if (!found.has(key)) {
        found.add(key);
        const one = byKey.get(key);
        if (one) waiting.push(one);
      }
  return found;
}

type NamespaceCondition = Pick<
  NonNullable<NonNullable<PlumbObject['status']>['conditions']>[number],
  'type' | 'status' | 'reason' | 'message'
>;

/** Objects that are named in a sentence. */
const NAMED = 5;

/** What is to be said of what is left: the conditions of Kubernetes, in its words where it has them. */
export function conditionsOf(content: readonly Held[], failures: readonly string[]): NamespaceCondition[] {
  const condition = (type: string, isBad: boolean, [badReason, bad]: string[], [goodReason, good]: string[]) => ({
    type,
    status: isBad ? ('True' as const) : ('False' as const),
    reason: (isBad ? badReason : goodReason)!,
    message: (isBad ? bad : good)!,
  });
  const kept = content.filter((one) => one.isProtected).map(({ resource, name }) => `${resource.kind} ${name}`);
  const problems = [
    ...failures.slice(0, NAMED),
    ...(kept.length === 0 ? [] : [`${some(kept)}: spec.deletionProtection is true; set it to false to go on`]),
  ];
  const resources = counted(content.map(({ resource }) => qualified(resource)));
  const finalizers = counted(content.filter(({ isMarked }) => isMarked).flatMap((one) => one.finalizers));
  return [
    condition(
      'NamespaceDeletionDiscoveryFailure',
      false,
      [],
      ['ResourcesDiscovered', 'All resources successfully discovered'],
    ),
    condition(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      [],
      ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ),
    condition(
      'NamespaceDeletionContentFailure',
      problems.length > 0,
      ['ContentDeletionFailed', `Failed to delete all resource types: ${problems.join('; ')}`],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    condition(
      'NamespaceContentRemaining',
      content.length > 0,
      [
        'SomeResourcesRemain',
        `Some resources are remaining: ${resources.map(([name, count]) => `${name} has ${count} resource instances`).join(', ')}`,
      ],
      ['ContentRemoved', 'All content successfully removed'],
    ),
    condition(
      'NamespaceFinalizersRemaining',
      finalizers.length > 0,
      [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${finalizers.map(([name, count]) => `${name} in ${count} resource instances`).join(', ')}`,
      ],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ];
}

function some(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

function qualified({ plural, group }: WritableResource): string {
  return group === '' ? `${plural}.` : `${plural}.${group}`;
}

/** Each word with how often it is there, in order; at most as many as are named. */
function counted(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const one of words) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MOST_COUNTED);
}

/** Finalizers may have any names: the condition stays short. */
const MOST_COUNTED = 20;
