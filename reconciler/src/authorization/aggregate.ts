/**
 * ClusterRoles that are made of others: those whose labels a selector of theirs selects. Their own rules count for nothing;
 * Kubernetes' controller would overwrite them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { LabelSelector, PolicyRule, Role } from './policy.ts';

/** Whether the role is made of others. */
export function isAggregated({ aggregationRule }: Role): boolean {
  return aggregationRule !== undefined && aggregationRule !== null;
}

/**
 * The rules of the role: its own, or those of all that it selects, and of all that these select in turn. Roles come by selector
 * and name, and rules that are the same come once.
 */
export function effectiveRules(role: Role, all: readonly Role[]): readonly PolicyRule[] {
  if (!isAggregated(role)) return role.rules ?? [];
  const rules: PolicyRule[] = [];
  // A role that selects itself, or one that selects it, gives it nothing more.
  const visited = new Set<string>([role.metadata.name]);
  const visit = ({ aggregationRule }: Role) => {
    for (const selector of aggregationRule?.clusterRoleSelectors ?? [])
      for (const selected of all) {
        const { name, labels = {} } = selected.metadata;
        if (visited.has(name) || !selects(selector, labels)) continue;
        visited.add(name);
        if (isAggregated(selected)) visit(selected);
        else
          for (const rule of selected.rules ?? [])
            if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule);
      }
  };
  visit(role);
  return rules;
}

/** As metav1.LabelSelector: all must hold; one without any selects everything. An operator that is not known selects nothing. */
export function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const labelOf = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labelOf(key) !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labelOf(key);
    const among = value !== undefined && values.includes(value);
    const holds: Record<string, boolean> = {
      In: among,
      NotIn: !among,
      Exists: value !== undefined,
      DoesNotExist: value === undefined,
    };
    if (holds[operator] !== true) return false;
  }
  return true;
}
