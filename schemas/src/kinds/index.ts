/**
 * Every kind. Plumb's own (`kinds`) are what controllers keep, in the order in which people read about them; the built-in ones are
 * Kubernetes' own, declared by the same means. Adding a kind: docs/adding-a-kind.md.
 */
import { clusterRole } from './builtin/cluster-role.ts';
import { clusterRoleBinding } from './builtin/cluster-role-binding.ts';
import { configMap } from './builtin/config-map.ts';
import { lease } from './builtin/lease.ts';
import { namespace } from './builtin/namespace.ts';
import { role } from './builtin/role.ts';
import { roleBinding } from './builtin/role-binding.ts';
import { secret } from './builtin/secret.ts';
import { serviceAccount } from './builtin/service-account.ts';
import { changeSet } from './change-set.ts';
import { apiVersionOf, type KindDefinition } from './define.ts';
import { host } from './host.ts';
import { image } from './image.ts';
import { instance } from './instance.ts';
import { instanceOffering } from './instance-offering.ts';
import { l2Network } from './l2-network.ts';
import { l3Network } from './l3-network.ts';
import { zone } from './zone.ts';

export const kinds: readonly KindDefinition[] = [
  zone,
  host,
  l2Network,
  l3Network,
  image,
  instanceOffering,
  instance,
  changeSet,
];

/** Kubernetes' own. */
export const builtinKinds: readonly KindDefinition[] = [
  namespace,
  secret,
  configMap,
  serviceAccount,
  role,
  clusterRole,
  roleBinding,
  clusterRoleBinding,
  lease,
];

/** What is stored, served, and known to Terraform and the command. Kind names and plurals are unique among all of them. */
export const everyKind: readonly KindDefinition[] = [...kinds, ...builtinKinds];

const byName = new Map<string, KindDefinition>(everyKind.map((k) => [k.kind, k]));
const byAlias = new Map<string, KindDefinition>(
  everyKind.flatMap((k) =>
    [k.kind.toLowerCase(), k.plural, k.singular, ...k.shortNames].map((alias) => [alias, k] as const),
  ),
);

/** The kind of that exact name (`Instance`), or undefined. */
export function kindByName(kind: string): KindDefinition | undefined {
  return byName.get(kind);
}

/** The kind that an object says it is of. */
export function kindOf({ apiVersion, kind }: { apiVersion?: unknown; kind?: unknown }): KindDefinition | undefined {
  const found = typeof kind === 'string' ? byName.get(kind) : undefined;
  return found && apiVersionOf(found) === apiVersion ? found : undefined;
}

/** The kind that a person means: kind, plural, singular or short name, in any case. */
export function kindByAlias(word: string): KindDefinition | undefined {
  return byAlias.get(word.toLowerCase());
}

export type { PolicyRule, RoleRef, Subject } from './builtin/rbac.ts';
export type { ChangeSet } from './change-set.ts';
export type { Host } from './host.ts';
export type { Image } from './image.ts';
export type { Instance } from './instance.ts';
export type { InstanceOffering } from './instance-offering.ts';
export type { L2Network } from './l2-network.ts';
export type { L3Network } from './l3-network.ts';
export type { Zone } from './zone.ts';
export {
  changeSet,
  clusterRole,
  clusterRoleBinding,
  configMap,
  host,
  image,
  instance,
  instanceOffering,
  l2Network,
  l3Network,
  lease,
  namespace,
  role,
  roleBinding,
  secret,
  serviceAccount,
  zone,
};
