/** Of an object that declares others (a change set): who writes it must be allowed to write each of them as it is declared. */
import { isDeepStrictEqual } from 'node:util';
import { groupOf, type KindDefinition, type PlumbObject } from '@plumb/schemas';
import { type DeclaredObject, declaredObjects } from '@plumb/schemas/project/declared-objects.ts';
import type { User } from '../../pki/tokens.ts';
import { examine } from '../../store/examine.ts';
import { keys } from '../../store/keys.ts';
import { authorize, resourceAttributes } from '../authorize.ts';
import { mayWrite, type ObjectWrite, type Rights } from './writes.ts';

export async function mayWriteMembers(
  rights: Rights,
  user: User,
  { definition, before, after }: ObjectWrite,
): Promise<void> {
  if (before && isDeepStrictEqual(before.spec, after.spec)) return;
  const why = `${definition.kind} ${JSON.stringify(after.metadata.name)} writes it`;
  for (const { kind, namespace, object } of declaredOf(rights, definition, after)) {
    const group = groupOf(kind);
    const { name } = object.metadata;
    // What is there when it is checked may be gone when it is written, and the other way round: both are needed.
    for (const verb of ['create', 'patch'])
      authorize(
        rights.access,
        user,
        resourceAttributes({ verb, group, resource: kind.plural, namespace: namespace ?? '', name }),
        why,
      );
    const entry = await rights.store.get(keys.object(kind.plural, namespace, name));
    // What cannot be understood had no rights to begin with.
    const stored = entry && examine(kind, entry).object;
    await mayWrite(rights, user, {
      ...{ definition: kind, group, before: stored, named: name },
      after: object as unknown as PlumbObject,
    });
  }
}

/** They were judged when the object was admitted: of mistakes nothing is said here. */
function declaredOf({ limits }: Rights, definition: KindDefinition, holder: PlumbObject): DeclaredObject[] {
  return declaredObjects(holder, definition.declares!, { limits, level: 'Strict' }).declared;
}
