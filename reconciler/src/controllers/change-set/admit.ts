/** What a change set declares, as objects to be stored: defaulted and validated like any other, all errors at once. */
import { type ChangeSet, type PlumbObject, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { type DeclaredObject, declaredObjects } from '@plumb/schemas/project/declared-objects.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { keys } from '../../store/keys.ts';

export interface Declared extends DeclaredObject {
  key: string;
}

/**
 * Throws terminal `Invalid` with the violations of all objects, as far as they are told. `existing`: the stored object of a key.
 * The API has judged each of them when the change set came; what was stored before, and what is stored beside it, it did not know.
 */
export function admitAll(
  changeSet: ChangeSet,
  limits: ServerLimits,
  existing: (key: string) => PlumbObject | undefined,
): Declared[] {
  const { declared, mistakes } = declaredObjects(changeSet, 'objects', { limits, level: 'Strict' }, (one) => {
    const before = existing(keyOf(one));
    return before ? immutableErrors(one.kind, before, { ...before, spec: one.object.spec }) : [];
  });
  const errors = mistakes.list();
  if (errors.length > 0) {
    const words = errors.map((e) => `${e.field} ${e.message}`).join('; ');
    throw terminal('Invalid', words, errors);
  }
  return declared.map((one) => ({ ...one, key: keyOf(one) }));
}

function keyOf({ kind, namespace, object }: DeclaredObject): string {
  return keys.object(kind.plural, namespace, object.metadata.name);
}
