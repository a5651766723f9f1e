/** How objects refer to each other by name: from the references of a kind to keys in the store. */
import type { KindDefinition, PlumbObject } from '@plumb/schemas';
import { kindByName } from '@plumb/schemas';
import { keys } from '../store/keys.ts';

/**
 * Key of the object that `word` names, seen from `namespace`: `name` in the same project, or `project/name`.
 */
export function referenceKey(kindName: string, namespace: string | undefined, word: string): string {
  const kind = kindByName(kindName);
  if (!kind) throw new Error(`a kind refers to ${kindName}, which is not declared`);
  if (kind.scope === 'Cluster') return keys.object(kind.plural, undefined, word);
  const slash = word.indexOf('/');
  return slash < 0
    ? keys.object(kind.plural, namespace, word)
    : keys.object(kind.plural, word.slice(0, slash), word.slice(slash + 1));
}

/** Keys of all objects that the spec refers to, each once. */
export function referenceKeys(kind: KindDefinition, object: PlumbObject): string[] {
  const found = new Set<string>();
  for (const reference of kind.references)
    for (const word of valuesAt(object.spec, reference.path.split('.')))
      if (typeof word === 'string') found.add(referenceKey(reference.kind, object.metadata.namespace, word));
  return [...found];
}

/** Values at a path whose parts may end in `[]`: of every item. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  const [head, ...rest] = path;
  if (head === undefined) return [value];
  if (typeof value !== 'object' || value === null) return [];
  const every = head.endsWith('[]');
  const next = (value as Record<string, unknown>)[every ? head.slice(0, -2) : head];
  if (every) return Array.isArray(next) ? next.flatMap((item) => valuesAt(item, rest)) : [];
  return next === undefined ? [] : valuesAt(next, rest);
}
