/** The ServiceAccount `default`, which every namespace has, as in Kubernetes. It comes and goes with its namespace. */
import { type Ambient, serviceAccount as definition, type PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject } from '../../store/object-codec.ts';
import type { Op, Store } from '../../store/store.ts';

const NAME = 'default';

export function defaultServiceAccountKey(namespace: string): string {
  return keys.object(definition.plural, namespace, NAME);
}

/** The op that makes it. */
export function defaultServiceAccount(namespace: string, ambient: Ambient): Op {
  const object = {
    apiVersion: 'v1',
    kind: definition.kind,
    metadata: {
      name: NAME,
      namespace,
      uid: ambient.ids.uid(),
      creationTimestamp: timestamp(ambient.clock.now()),
    },
  } as unknown as PlumbObject;
  return { type: 'put', key: defaultServiceAccountKey(namespace), value: encodeObject(object) };
}

/** How many namespaces one commit looks after. */
const TOGETHER = 50;

/** Makes it in every namespace that has none: those of before there were any, and where it was deleted. */
export async function ensureDefaultServiceAccounts(store: Store, ambient: Ambient): Promise<void> {
  const namespaces = (await store.list(keys.kind('namespaces'))).entries;
  const missing: { key: string; revision: number; name: string }[] = [];
  for (const { key, revision } of namespaces) {
    const name = key.slice(key.lastIndexOf('/') + 1);
    if (!(await store.get(defaultServiceAccountKey(name)))) missing.push({ key, revision, name });
  }
  for (let at = 0; at < missing.length; at += TOGETHER) {
    const part = missing.slice(at, at + TOGETHER);
    await store.commit({
      preconditions: part.map(({ key, revision }) => ({ key, revision })),
      ops: part.map(({ name }) => defaultServiceAccount(name, ambient)),
    });
  }
}
