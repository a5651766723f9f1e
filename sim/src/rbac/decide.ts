/** What Plumb decides of a random case, in the form in which Kubernetes' authorizer answers (bench/peers/go/kubernetes/rbac). */
import { uncovered } from '@plumb/reconciler/authorization/covers.ts';
import type { Attributes } from '@plumb/reconciler/authorization/policy.ts';
import { PolicyIndex } from '@plumb/reconciler/authorization/policy-index.ts';
import type { Case, Request } from './random-policy.ts';

export interface Answers {
  allowed: boolean[];
  reasons: string[];
  covers: boolean[];
}

export function decideAll({ requests, covers, ...policy }: Case): Answers {
  const index = indexOf(policy);
  const decisions = requests.map((request) =>
    index.decide({ name: request.user, groups: request.groups }, asked(request)),
  );
  return {
    allowed: decisions.map(({ allowed }) => allowed),
    reasons: decisions.map(({ reason }) => reason),
    covers: covers.map(({ held, wanted }) => uncovered(held, wanted).length === 0),
  };
}

export function indexOf(policy: Omit<Case, 'requests' | 'covers'>): PolicyIndex {
  const index = new PolicyIndex();
  for (const role of policy.clusterRoles) index.putClusterRole(role);
  for (const role of policy.roles) index.putRole(role.metadata.namespace!, role);
  for (const binding of policy.clusterRoleBindings) index.putBinding('', binding);
  for (const binding of policy.roleBindings) index.putBinding(binding.metadata.namespace!, binding);
  return index;
}

export function asked({ verb, path, group, resource, subresource, namespace, name }: Request): Attributes {
  return path === '' ? { verb, group, resource, subresource, namespace, name } : { verb, path };
}

/**
 * Where the answers differ. Of several bindings that allow it, each gives its own reason, and Kubernetes names the one that it
 * comes to first: a reason is compared by its beginning, and wholly where it says what could not be found.
 */
export function differences(ours: Answers, theirs: Answers): string[] {
  const found: string[] = [];
  for (const [i, allowed] of theirs.allowed.entries()) {
    if (ours.allowed[i] !== allowed) found.push(`request ${i}: ${ours.allowed[i]}, Kubernetes says ${allowed}`);
    const [mine = '', other = ''] = [ours.reasons[i], theirs.reasons[i]];
    if (allowed ? mine.startsWith(ALLOWED) !== other.startsWith(ALLOWED) : wordsOf(mine) !== wordsOf(other))
      found.push(`request ${i}: ${mine}; Kubernetes says ${other}`);
  }
  for (const [i, covers] of theirs.covers.entries())
    if (ours.covers[i] !== covers) found.push(`cover ${i}: ${ours.covers[i]}, Kubernetes says ${covers}`);
  return found;
}

const ALLOWED = 'RBAC: allowed by ';

/** Roles that are not there, in any order: the static lister of the comparison has words of its own for them. */
function wordsOf(reason: string): string {
  return /not found|unsupported role|must provide namespace/.test(reason) ? 'some role is missing' : reason;
}
