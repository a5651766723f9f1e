/**
 * An object goes with its owners: who makes others the owners of what is there must be allowed to delete it. (Kubernetes asks the same
 * where its plug-in OwnerReferencesPermissionEnforcement is switched on.)
 */
import { isDeepStrictEqual } from 'node:util';
import type { User } from '../../pki/tokens.ts';
import { type Access, authorize, resourceAttributes } from '../authorize.ts';
import type { ObjectWrite } from './writes.ts';

export function mayBeOwned(access: Access, user: User, { definition, group, before, after }: ObjectWrite): void {
  if (!before || isDeepStrictEqual(before.metadata?.ownerReferences ?? [], after.metadata.ownerReferences ?? []))
    return;
  const { name, namespace = '' } = after.metadata;
  const asked = { verb: 'delete', group, resource: definition.plural, namespace, name };
  authorize(access, user, resourceAttributes(asked), 'its owners are changed, and it goes with them');
}
