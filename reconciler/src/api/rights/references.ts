/** `use`: the right to refer to an object of another project, or of the whole estate. It is asked when a reference comes or changes. */
import { API_GROUP } from '@plumb/schemas';
import type { User } from '../../pki/tokens.ts';
import { referenceKeys, sameReferences } from '../../runtime/references.ts';
import { parseObjectKey } from '../../store/keys.ts';
import { type Access, authorize, resourceAttributes } from '../authorize.ts';
import type { ObjectWrite } from './writes.ts';

export function mayUse(access: Access, user: User, { definition, before, after }: ObjectWrite): void {
  const { kind, plural, extraRights } = definition;
  const { name, namespace = '' } = after.metadata;
  for (const key of newReferences({ definition, before, after })) {
    const target = parseObjectKey(key);
    if (!target || (target.namespace !== '' && target.namespace === namespace)) continue;
    const asked = {
      verb: 'use',
      group: API_GROUP,
      resource: target.plural,
      namespace: target.namespace,
      name: target.name,
    };
    authorize(access, user, resourceAttributes(asked), `${kind} ${JSON.stringify(name)} refers to it`);
  }
  if (!extraRights) return;
  const had = before ? extraRights(before.spec as never) : [];
  for (const { value, because, ...right } of extraRights(after.spec as never)) {
    const { verb, subresource } = right;
    if (had.some((one) => one.verb === verb && one.subresource === subresource && one.value === value)) continue;
    const asked = { group: API_GROUP, resource: plural, name, namespace, ...right };
    authorize(access, user, resourceAttributes(asked), because);
  }
}

function newReferences({ definition, before, after }: Pick<ObjectWrite, 'definition' | 'before' | 'after'>): string[] {
  if (definition.references.length === 0) return [];
  if (before && sameReferences(definition, before, after)) return [];
  const had = before ? referenceKeys(definition, before) : [];
  return referenceKeys(definition, after).filter((key) => !had.includes(key));
}
