/**
 * Roles and bindings, found by who asks: a decision looks at the bindings of the user and of his groups, and at no others. What
 * applies to a user is found once and kept until the policy changes, so that a decision costs about a microsecond.
 */
import { effectiveRules, isAggregated } from './aggregate.ts';
import {
  type Attributes,
  type Binding,
  type Decision,
  type Identity,
  isPath,
  MASTERS,
  type PolicyRule,
  RBAC_GROUP,
  type Role,
  type RoleRef,
  type Subject,
  serviceAccountName,
} from './policy.ts';
import { ruleAllows } from './rules.ts';

/** What one binding gives to one user. */
interface Grant {
  rules: readonly PolicyRule[];
  /** What of it cannot be resolved. */
  error?: string;
  binding: Binding;
  subject: Subject;
}

interface Found {
  /** Of which state of the policy. */
  version: number;
  /** By namespace; those of the whole cluster under the empty name. */
  grants: Map<string, readonly Grant[]>;
}

/** Bindings of one namespace, or of the cluster. */
class Bindings {
  readonly #byName = new Map<string, Binding>();
  /** `u` and the name of a user, or `g` and that of a group → names of the bindings that speak of it. */
  readonly #bySubject = new Map<string, Set<string>>();
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  put(binding: Binding): void {
    const { name } = binding.metadata;
    this.remove(name);
    this.#byName.set(name, binding);
    for (const key of this.#keysOf(binding)) {
      const names = this.#bySubject.get(key);
      if (names) names.add(name);
      else this.#bySubject.set(key, new Set([name]));
    }
  }

  remove(name: string): void {
    const binding = this.#byName.get(name);
    if (!binding) return;
    this.#byName.delete(name);
    for (const key of this.#keysOf(binding)) {
      const names = this.#bySubject.get(key);
      names?.delete(name);
      if (names?.size === 0) this.#bySubject.delete(key);
    }
  }

  /** The bindings that speak of the user, by name, each with the first subject that does. */
  *of({ name, groups }: Identity): Generator<{ binding: Binding; subject: Subject }> {
    const keys = new Set([`u${name}`, ...groups.map((group) => `g${group}`)]);
    const names = new Set<string>();
    for (const key of keys) for (const one of this.#bySubject.get(key) ?? []) names.add(one);
    for (const one of [...names].sort()) {
      const binding = this.#byName.get(one)!;
      const subject = binding.subjects!.find((each) => keys.has(keyOfSubject(each, this.#namespace) ?? ''))!;
      yield { binding, subject };
    }
  }

  #keysOf({ subjects = [] }: Binding): string[] {
    return subjects.map((subject) => keyOfSubject(subject, this.#namespace)).filter((key) => key !== undefined);
  }
}

/** A ServiceAccount is the user by whose name it is known; without a namespace it is of that of the binding. */
function keyOfSubject({ kind, name, namespace }: Subject, bindingNamespace: string): string | undefined {
  if (kind === 'User') return `u${name}`;
  if (kind === 'Group') return `g${name}`;
  if (kind !== 'ServiceAccount') return undefined;
  const own = namespace || bindingNamespace;
  return own === '' ? undefined : `u${serviceAccountName(own, name)}`;
}

export class PolicyIndex {
  readonly #clusterRoles = new Map<string, Role>();
  /** By `namespace/name`. */
  readonly #roles = new Map<string, Role>();
  readonly #bindings = new Map<string, Bindings>();
  /** Of ClusterRoles, in this state of the policy. */
  readonly #effective = new Map<string, readonly PolicyRule[]>();
  #found = new WeakMap<Identity, Found>();
  #version = 0;

  putClusterRole(role: Role): void {
    this.#clusterRoles.set(role.metadata.name, role);
    this.#changed();
  }

  removeClusterRole(name: string): void {
    if (this.#clusterRoles.delete(name)) this.#changed();
  }

  putRole(namespace: string, role: Role): void {
    this.#roles.set(`${namespace}/${role.metadata.name}`, role);
    this.#changed();
  }

  removeRole(namespace: string, name: string): void {
    if (this.#roles.delete(`${namespace}/${name}`)) this.#changed();
  }

  /** `namespace`: empty for a ClusterRoleBinding. */
  putBinding(namespace: string, binding: Binding): void {
    let bindings = this.#bindings.get(namespace);
    if (!bindings) {
      bindings = new Bindings(namespace);
      this.#bindings.set(namespace, bindings);
    }
    bindings.put(binding);
    this.#changed();
  }

  removeBinding(namespace: string, name: string): void {
    const bindings = this.#bindings.get(namespace);
    if (!bindings) return;
    bindings.remove(name);
    if (bindings.isEmpty) this.#bindings.delete(namespace);
    this.#changed();
  }

  /** Whether the user may do this. Identities are remembered by their object: one that stays the same costs least. */
  decide(who: Identity, asked: Attributes): Decision {
    if (who.groups.includes(MASTERS)) return { allowed: true, reason: '' };
    const errors = new Set<string>();
    const namespace = isPath(asked) ? '' : asked.namespace;
    for (const scope of namespace === '' ? [''] : ['', namespace])
      for (const grant of this.#grants(who, scope)) {
        if (grant.error !== undefined) errors.add(grant.error);
        for (const rule of grant.rules)
          if (ruleAllows(rule, asked)) return { allowed: true, reason: `RBAC: allowed by ${described(grant)}` };
      }
    if (errors.size === 0) return { allowed: false, reason: '' };
    const all = [...errors];
    return { allowed: false, reason: `RBAC: ${all.length === 1 ? all[0] : `[${all.join(', ')}]`}` };
  }

  /** All rules that apply to the user in the namespace, those of the whole cluster among them; empty: only those. */
  rulesFor(who: Identity, namespace: string): { rules: PolicyRule[]; errors: string[] } {
    const rules: PolicyRule[] = [];
    const errors = new Set<string>();
    for (const scope of namespace === '' ? [''] : ['', namespace])
      for (const grant of this.#grants(who, scope)) {
        rules.push(...grant.rules);
        if (grant.error !== undefined) errors.add(grant.error);
      }
    return { rules, errors: [...errors] };
  }

  /** The rules that a binding in the namespace would give, or why it would give none. */
  rulesOf(ref: RoleRef, namespace: string): Pick<Grant, 'rules' | 'error'> {
    if (ref.kind === 'ClusterRole') {
      const role = this.#clusterRoles.get(ref.name);
      return role ? { rules: this.effective(role) } : missing('clusterrole', ref.name);
    }
    if (ref.kind === 'Role') {
      const role = this.#roles.get(`${namespace}/${ref.name}`);
      return role ? { rules: role.rules ?? [] } : missing('role', ref.name);
    }
    return { rules: [], error: `unsupported role reference kind: ${JSON.stringify(ref.kind)}` };
  }

  /** The rules of a ClusterRole, gathered where it is made of others. */
  effective(role: Role): readonly PolicyRule[] {
    const { name } = role.metadata;
    let rules = this.#effective.get(name);
    if (!rules) {
      rules = isAggregated(role) ? effectiveRules(role, this.#sortedClusterRoles()) : (role.rules ?? []);
      this.#effective.set(name, rules);
    }
    return rules;
  }

  /** The ClusterRoles that are made of others. */
  *aggregated(): Generator<Role> {
    for (const role of this.#clusterRoles.values()) if (isAggregated(role)) yield role;
  }

  #sortedClusterRoles(): Role[] {
    return [...this.#clusterRoles.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  #grants(who: Identity, namespace: string): readonly Grant[] {
    let found = this.#found.get(who);
    if (found?.version !== this.#version) {
      found = { version: this.#version, grants: new Map() };
      this.#found.set(who, found);
    }
    let grants = found.grants.get(namespace);
    if (!grants) {
      grants = [...this.#find(who, namespace)];
      // What somebody makes up as a namespace is not remembered.
      if (grants.length > 0 || namespace === '') found.grants.set(namespace, grants);
    }
    return grants;
  }

  *#find(who: Identity, namespace: string): Generator<Grant> {
    for (const { binding, subject } of this.#bindings.get(namespace)?.of(who) ?? [])
      yield { binding, subject, ...this.rulesOf(binding.roleRef, namespace) };
  }

  /** Of the state of the policy: another number after each change. */
  get version(): number {
    return this.#version;
  }

  #changed(): void {
    this.#version++;
    this.#effective.clear();
  }
}

function missing(resource: string, name: string) {
  return { rules: [], error: `${resource}.${RBAC_GROUP} ${JSON.stringify(name)} not found` };
}

/** The sentence of Kubernetes, which puts the namespace behind the name. */
function described({ binding, subject }: Grant): string {
  const { namespace, name } = binding.metadata;
  const what =
    namespace === undefined || namespace === ''
      ? `ClusterRoleBinding ${JSON.stringify(name)}`
      : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`;
  const whom =
    subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || (namespace ?? '')}` : subject.name;
  return `${what} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${subject.kind} ${JSON.stringify(whom)}`;
}
