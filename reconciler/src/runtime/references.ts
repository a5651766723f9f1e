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

/** Keys of all other objects that the spec refers to, each once: one that names itself waits for nobody and holds nothing up. */
export function referenceKeys(kind: KindDefinition, object: PlumbObject): string[] {
  const found: string[] = [];
  const { namespace } = object.metadata;
  for (const { kind: target, path } of pathsOf(kind))
    eachValue(object.spec, path, 0, (word) => {
      if (typeof word !== 'string') return;
      const key = referenceKey(target, namespace, word);
      const isItself = target === kind.kind && key === referenceKey(target, namespace, object.metadata.name);
      if (!isItself && !found.includes(key)) found.push(key);
    });
  return found;
}

/** Whether {@link referenceKeys} are the same of both, one after the other. Makes no keys: mostly nothing changed. */
export function sameReferences(kind: KindDefinition, a: PlumbObject, b: PlumbObject): boolean {
  if (a.metadata.namespace !== b.metadata.namespace) return false;
  for (const { path } of pathsOf(kind)) {
    const words: unknown[] = [];
    eachValue(a.spec, path, 0, (word) => words.push(word));
    let at = 0;
    let same = true;
    eachValue(b.spec, path, 0, (word) => {
      same &&= typeof word !== 'object' && words[at++] === word;
    });
    if (!same || at !== words.length) return false;
  }
  return true;
}

interface Path {
  kind: string;
  path: readonly { field: string; every: boolean }[];
}

const paths = new WeakMap<KindDefinition, readonly Path[]>();

/** The references of a kind with their paths taken apart. A part may end in `[]`: every item. */
function pathsOf(kind: KindDefinition): readonly Path[] {
  let known = paths.get(kind);
  if (known === undefined) {
    known = kind.references.map(({ kind: target, path }) => ({
      kind: target,
      path: path.split('.').map((part) => ({ field: part.replace(/\[\]$/, ''), every: part.endsWith('[]') })),
    }));
    paths.set(kind, known);
  }
  return known;
}

function eachValue(value: unknown, path: Path['path'], at: number, visit: (value: unknown) => void): void {
  const part = path[at];
  if (part === undefined) visit(value);
  if (part === undefined || typeof value !== 'object' || value === null) return;
  const next = (value as Record<string, unknown>)[part.field];
  if (!part.every) {
    if (next !== undefined) eachValue(next, path, at + 1, visit);
  } else if (Array.isArray(next)) for (const item of next) eachValue(item, path, at + 1, visit);
}
