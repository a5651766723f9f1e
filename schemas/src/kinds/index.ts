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
import { apiVersionOf, type KindDefinition } from './define.ts';
import * as list from './list.ts';

/** What a kind refers to comes before it, and what declares objects of the others last; else by name. */
export const kinds: readonly KindDefinition[] = inReadingOrder(Object.values(list));

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
export * from './list.ts';
export { clusterRole, clusterRoleBinding, configMap, lease, namespace, role, roleBinding, secret, serviceAccount };

function inReadingOrder(all: readonly KindDefinition[]): KindDefinition[] {
  const depths = new Map<string, number>();
  const depthOf = ({ kind, references, declares }: KindDefinition): number => {
    const known = depths.get(kind);
    if (known !== undefined) return known;
    // Kinds that refer to each other in a circle stand beside each other.
    depths.set(kind, 0);
    const below = references.flatMap((reference) => all.filter((other) => other.kind === reference.kind));
    const depth = declares === undefined ? Math.max(-1, ...below.map(depthOf)) + 1 : all.length;
    depths.set(kind, depth);
    return depth;
  };
  return all.toSorted((a, b) => depthOf(a) - depthOf(b) || (a.kind < b.kind ? -1 : 1));
}
