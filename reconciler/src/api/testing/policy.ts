/** Roles and bindings for tests, put into the store as the API would. */
import type { Binding, PolicyRule, Subject } from '../../authorization/policy.ts';
import { keys } from '../../store/keys.ts';
import type { Store } from '../../store/store.ts';

const RBAC = 'rbac.authorization.k8s.io';
let uid = 0;

async function put(
  store: Store,
  plural: string,
  kind: string,
  object: Record<string, unknown> & { metadata: Binding['metadata'] },
): Promise<void> {
  const { metadata, ...rest } = object;
  const apiVersion = kind === 'ServiceAccount' ? 'v1' : `${RBAC}/v1`;
  const stored = { apiVersion, kind, metadata: { ...metadata, uid: `uid-${++uid}`, generation: 1 }, ...rest };
  const key = keys.object(plural, metadata.namespace, metadata.name);
  await store.commit({ preconditions: [], ops: [{ type: 'put', key, value: JSON.stringify(stored) }] });
}

/** A ClusterRole, bound to the subject: in the namespace, or everywhere if there is none. */
export async function grant(
  store: Store,
  subject: Subject,
  rules: readonly PolicyRule[],
  namespace?: string,
): Promise<{ revoke(): Promise<void> }> {
  const name = `granted-${++uid}`;
  await put(store, 'clusterroles', 'ClusterRole', { metadata: { name }, rules });
  const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name };
  const [plural, kind] =
    namespace === undefined ? ['clusterrolebindings', 'ClusterRoleBinding'] : ['rolebindings', 'RoleBinding'];
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  await put(store, plural!, kind!, { metadata, subjects: [subject], roleRef });
  return {
    async revoke() {
      const key = keys.object(plural!, namespace, name);
      await store.commit({ preconditions: [], ops: [{ type: 'delete', key }] });
    },
  };
}

/** The subject has these rights while `attempt` goes on. */
export async function having(
  store: Store,
  subject: Subject,
  rules: readonly PolicyRule[],
  attempt: () => Promise<void>,
  namespace?: string,
): Promise<void> {
  const given = await grant(store, subject, rules, namespace);
  try {
    await attempt();
  } finally {
    await given.revoke();
  }
}

/** Puts a ServiceAccount; one more time, it is another one of the same name. */
export function putAccount(store: Store, namespace: string, name: string): Promise<void> {
  return put(store, 'serviceaccounts', 'ServiceAccount', { metadata: { name, namespace } });
}

export async function removeAccount(store: Store, namespace: string, name: string): Promise<void> {
  await store.commit({
    preconditions: [],
    ops: [{ type: 'delete', key: keys.object('serviceaccounts', namespace, name) }],
  });
}
