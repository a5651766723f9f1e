/** The objects of rbac.authorization.k8s.io/v1, as far as decisions depend on them, and what is asked of them. */

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Members may do everything, whatever the policy says: no policy can lock them out. */
export const MASTERS = 'system:masters';

/** Purely additive: there is no rule that forbids. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  // `instances`, `instances/status`, `*`, `*/status`.
  readonly resources?: readonly string[];
  /** Everything, if absent or empty. */
  readonly resourceNames?: readonly string[];
  /** `/metrics`, `/openapi/*`. */
  readonly nonResourceURLs?: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A Role, or a ClusterRole, which alone has an `aggregationRule`. */
export interface Role {
  readonly metadata: Metadata;
  readonly rules?: readonly PolicyRule[];
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
}

export interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface RoleRef {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** A RoleBinding, or a ClusterRoleBinding. */
export interface Binding {
  readonly metadata: Metadata;
  readonly subjects?: readonly Subject[];
  readonly roleRef: RoleRef;
}

/** Who asks. */
export interface Identity {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What is asked of an object or a collection. Empty texts stand for "none", as in Kubernetes. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty for the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

/** What is asked of a path that is no resource. The verb is the method in lower case. */
export interface PathAttributes {
  readonly verb: string;
  readonly path: string;
}

export type Attributes = ResourceAttributes | PathAttributes;

export function isPath(attributes: Attributes): attributes is PathAttributes {
  return 'path' in attributes;
}

export interface Decision {
  readonly allowed: boolean;
  /** Which binding allows it, or what could not be resolved; empty when there is nothing to say. */
  readonly reason: string;
}

/** The name by which a ServiceAccount is known as a user. */
export function serviceAccountName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
