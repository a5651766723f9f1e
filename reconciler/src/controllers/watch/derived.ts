/** Who is woken by an object that changed, as the references of the kinds say: nobody declares it. */
import type { KindDefinition } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition } from '../../runtime/conditions.ts';
import { referenceKeys, sameReferences } from '../../runtime/references.ts';
import { settledOn } from '../placed/applied.ts';

/** Many come and go at once; what they use is looked at once for all of them. */
export const COALESCE_MS = 200;

/** What a person or another client changed; a controller does not wake itself by writing status. */
export function isDeclaration(before: Cached | undefined, after: Cached): boolean {
  if (!before) return true;
  const [a, b] = [before.object.metadata, after.object.metadata];
  return (
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    !sameText(a.annotations, b.annotations) ||
    !sameText(a.labels, b.labels) ||
    !sameText(a.finalizers, b.finalizers)
  );
}

function sameText(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Whether those who refer to the object may now decide otherwise. */
export function isMaterial(before: Cached | undefined, after: Cached | undefined): boolean {
  if (!before || !after) return true;
  const [a, b] = [before.object.metadata, after.object.metadata];
  const [ready, readyNow] = [findCondition(before.object, 'Ready'), findCondition(after.object, 'Ready')];
  return (
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    before.object.status?.observedGeneration !== after.object.status?.observedGeneration ||
    ready?.status !== readyNow?.status ||
    (readyNow?.status !== 'True' && ready?.message !== readyNow?.message)
  );
}

/** Keys of what the object came to use, uses elsewhere, or uses no more. */
export function* usedBy(
  kind: KindDefinition,
  before: Cached | undefined,
  after: Cached | undefined,
): Generator<string> {
  const elsewhere = before !== undefined && after !== undefined && refersElsewhere(before, after);
  if (!before || !after || elsewhere || hostOf(before) !== hostOf(after))
    yield* referenceKeys(kind, (after ?? before)!.object);
  if (elsewhere) yield* referenceKeys(kind, before.object);
}

/** Whether the object refers to others than it did. */
function refersElsewhere(before: Cached, after: Cached): boolean {
  const [a, b] = [before.object.metadata, after.object.metadata];
  if (a.uid === b.uid && a.generation === b.generation) return false; // the same declaration
  return !sameReferences(after.kind, before.object, after.object);
}

/** The host on which it uses them, if it runs on one. */
export function hostOf(cached: Cached | undefined): string | undefined {
  return cached && settledOn(cached.object);
}
