/**
 * A user hands out no rights that they lack: the rules of a role, and those that a binding gives, must be held by who writes it, in the
 * same project. `escalate` of the role, or `bind` of what is bound, is the right to do it all the same. As in Kubernetes.
 */
import { isDeepStrictEqual } from 'node:util';
import { EVERYTHING, shownPieces, uncovered } from '../../authorization/covers.ts';
import { type Binding, type PolicyRule, RBAC_GROUP, type Role } from '../../authorization/policy.ts';
import type { User } from '../../pki/tokens.ts';
import { type Access, Forbidden, resourceAttributes } from '../authorize.ts';
import { notFound } from '../failure.ts';
import type { ObjectWrite } from './writes.ts';

export function mayHandOut(access: Access, user: User, write: ObjectWrite): void {
  if (write.group !== RBAC_GROUP) return;
  if (write.before && isDeepStrictEqual(withoutUpkeep(write.before), withoutUpkeep(write.after))) return;
  const { plural } = write.definition;
  if (plural === 'roles' || plural === 'clusterroles') mayWriteRole(access, user, write);
  else mayBind(access, user, write);
}

function mayWriteRole(access: Access, user: User, { definition: { plural }, before, after, named }: ObjectWrite): void {
  const { name, namespace = '' } = after.metadata;
  const asked = { verb: 'escalate', group: RBAC_GROUP, resource: plural, namespace, name: named };
  if (access.decide(user, resourceAttributes(asked)).allowed) return;
  const about = { group: RBAC_GROUP, plural, name };
  expectHeld(access, user, namespace, (after as unknown as Role).rules ?? [], about);
  if (![before, after].some((one) => isGathering(one as unknown as Role | undefined))) return;
  // It may gather anything, now or later.
  if (uncovered(access.rulesFor(user, namespace).rules, EVERYTHING).length > 0)
    throw new Forbidden(about, 'must have cluster-admin privileges to use the aggregationRule');
}

function isGathering(role: Role | undefined): boolean {
  return (role?.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0;
}

function mayBind(access: Access, user: User, { definition: { plural }, after }: ObjectWrite): void {
  const { name, namespace = '' } = after.metadata;
  const { roleRef } = after as unknown as Binding;
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const asked = { verb: 'bind', group: RBAC_GROUP, resource, namespace, name: roleRef.name };
  if (access.decide(user, resourceAttributes(asked)).allowed) return;
  const { rules, error } = access.rulesOf(roleRef, namespace);
  if (error !== undefined) throw notFound(resource, RBAC_GROUP, roleRef.name);
  expectHeld(access, user, namespace, rules, { group: RBAC_GROUP, plural, name });
}

interface About {
  group: string;
  plural: string;
  name: string;
}

function expectHeld(access: Access, user: User, namespace: string, rules: readonly PolicyRule[], about: About): void {
  const held = access.rulesFor(user, namespace);
  const missing = uncovered(held.rules, rules);
  if (missing.length === 0) return;
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ');
  const errors = held.errors.length > 0 ? `; resolution errors: [${held.errors.join(', ')}]` : '';
  const lines = shownPieces(missing);
  const shown = lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`] : lines;
  throw new Forbidden(
    about,
    `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${shown.join('\n')}${errors}`,
  );
}

/** Lines of what is missing that are told. */
const SHOWN = 100;

/** What changes when others tidy up: owners, finalizers, notes of who wrote what. */
function withoutUpkeep(object: ObjectWrite['after']): object {
  const { metadata, ...rest } = object;
  const { ownerReferences, finalizers, resourceVersion, ...kept } = metadata;
  const { managedFields, ...own } = kept as typeof kept & { managedFields?: unknown };
  return { ...rest, metadata: own };
}
