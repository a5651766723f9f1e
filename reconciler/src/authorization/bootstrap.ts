/**
 * Puts the default policy into the store at every start, as Kubernetes does: what is missing is added, what is there too much stays,
 * and an object whose annotation `rbac.authorization.kubernetes.io/autoupdate` is "false" is left alone. So a new version gives its
 * new rights to roles of before, and what a person has added is theirs.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Ambient, PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { encodeObject } from '../store/object-codec.ts';
import type { Batch, Store } from '../store/store.ts';
import { effectiveRules, isAggregated } from './aggregate.ts';
import { uncovered } from './covers.ts';
import { type DefaultPolicy, defaultPolicy, ESTATE_USER } from './default-roles.ts';
import { type Binding, type PolicyRule, RBAC_GROUP, type Role } from './policy.ts';

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

/** That the binding to everybody was made once: from then on it is a person's affair. */
const FIRST = keys.control('default-policy');

type Stored<T> = T & {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string>; uid?: string };
};

/** Several control nodes may start at once: each begins anew when another was faster. */
const ATTEMPTS = 10;

export async function ensureDefaultPolicy(store: Store, ambient: Ambient, policy = defaultPolicy): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const batch = await batchOf(store, ambient, policy);
      if (batch.ops.length > 0) await store.commit(batch);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function batchOf(store: Store, ambient: Ambient, policy: DefaultPolicy): Promise<Batch> {
  const batch: Batch = { preconditions: [], ops: [] };
  const first = await store.get(FIRST);
  const put = async <T extends Role | Binding>(plural: string, kind: string, wanted: T, merge: (now: T) => T) => {
    const key = keys.object(plural, undefined, wanted.metadata.name);
    const entry = await store.get(key);
    const now = entry && parsed<T>(entry.value);
    // One that cannot be read is for a person to look at.
    if (entry && !now) return;
    if (now?.metadata.annotations?.[AUTOUPDATE] === 'false') return;
    const object = now ? merge(now) : fresh(kind, wanted, policy, ambient);
    if (isDeepStrictEqual(object, now)) return;
    batch.preconditions.push({ key, revision: entry?.revision ?? 0 });
    batch.ops.push({ type: 'put', key, value: encodeObject(object as unknown as PlumbObject) });
  };
  for (const role of policy.clusterRoles)
    await put('clusterroles', 'ClusterRole', role, (now) => mergedRole(now, role));
  for (const binding of policy.clusterRoleBindings)
    if (!first || binding.metadata.name !== ESTATE_USER)
      await put('clusterrolebindings', 'ClusterRoleBinding', binding, (now) => mergedBinding(now, binding));
  if (!first) {
    batch.preconditions.push({ key: FIRST, revision: 0 });
    batch.ops.push({ type: 'put', key: FIRST, value: JSON.stringify({ madeAt: ambient.clock.now() }) });
  }
  return batch;
}

function parsed<T>(text: string): Stored<T> | undefined {
  try {
    const object = JSON.parse(text) as Stored<T> | null;
    return typeof object?.metadata === 'object' && object.metadata !== null ? object : undefined;
  } catch {
    return undefined;
  }
}

function fresh(kind: string, wanted: Role | Binding, policy: DefaultPolicy, ambient: Ambient): object {
  const { metadata, ...rest } = wanted;
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind,
    metadata: {
      name: metadata.name,
      uid: ambient.ids.uid(),
      creationTimestamp: timestamp(ambient.clock.now()),
      labels: { ...LABELS, ...metadata.labels },
      annotations: { [AUTOUPDATE]: 'true' },
    },
    ...('subjects' in rest ? withGroups(rest) : rest),
    ...('roleRef' in wanted ? {} : { rules: effectiveRules(wanted, byName(policy.clusterRoles)) }),
  };
}

/** As the API would have stored it. */
function withGroups(binding: Omit<Binding, 'metadata'>): object {
  return { ...binding, subjects: binding.subjects?.map((subject) => ({ apiGroup: RBAC_GROUP, ...subject })) };
}

function byName(roles: readonly Role[]): Role[] {
  return [...roles].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** Rules that are there cover some of what is wanted; the rest is added, in as many rules as it takes. */
function mergedRole(now: Role, wanted: Role): Role {
  const labels = { ...wanted.metadata.labels, ...now.metadata.labels };
  const metadata = Object.keys(labels).length > 0 ? { ...now.metadata, labels } : now.metadata;
  if (isAggregated(wanted)) {
    const had = now.aggregationRule?.clusterRoleSelectors ?? [];
    const missing = wanted.aggregationRule!.clusterRoleSelectors!.filter(
      (selector) => !had.some((one) => isDeepStrictEqual(one, selector)),
    );
    if (missing.length === 0) return { ...now, metadata };
    return { ...now, metadata, aggregationRule: { clusterRoleSelectors: [...had, ...missing] } };
  }
  const held = now.rules ?? [];
  const missing = (wanted.rules ?? []).filter((rule: PolicyRule) => uncovered(held, [rule]).length > 0);
  return missing.length === 0 ? { ...now, metadata } : { ...now, metadata, rules: [...held, ...missing] };
}

function mergedBinding(now: Binding, wanted: Binding): Binding {
  const had = now.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter(
    (one) =>
      !had.some(
        ({ kind, name, namespace }) =>
          kind === one.kind && name === one.name && (namespace ?? '') === (one.namespace ?? ''),
      ),
  );
  if (missing.length === 0) return now;
  return { ...now, subjects: [...had, ...missing.map((subject) => ({ apiGroup: RBAC_GROUP, ...subject }))] };
}
