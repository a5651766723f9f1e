/** Namespaces: the projects that namespaced objects belong to. Core v1, so that kubectl knows them. */

import { type Ambient, namespace as definition, type PlumbObject } from '@plumb/schemas';
import { CONTENT_FINALIZER, NAME_LABEL } from '@plumb/schemas/kinds/builtin/namespace.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject, isBeingDeleted } from '../../store/object-codec.ts';
import { pages } from '../../store/pages.ts';
import type { Store } from '../../store/store.ts';
import { storedObject } from '../readable.ts';
import { resourceOfKind, type WritableResource } from '../resource.ts';
import { defaultServiceAccount } from './default-service-account.ts';

/** The namespace that is always there. */
export const DEFAULT_NAMESPACE = 'default';

/** core/v1 Namespace. Nothing of it lives on hosts. */
export function namespaceResource(store: Store): WritableResource {
  return {
    ...resourceOfKind(definition, store),
    initialStatus: { phase: 'Active' },
    beside: ({ metadata }, ambient) => [defaultServiceAccount(metadata.name, ambient)],
  };
}

/** Gives namespaces of before the label by which they are selected, and the finalizer that holds them until they are empty. */
export async function completeNamespaces(store: Store): Promise<void> {
  for await (const { entries } of pages(store, keys.kind(definition.plural)))
    for (const entry of entries) {
      if (entry.value.includes(`"${NAME_LABEL}"`) || isBeingDeleted(entry)) continue;
      const { object } = storedObject(namespaceResource(store), entry);
      const value = encodeObject(applyDefaults(definition, object));
      const precondition = { key: entry.key, revision: entry.revision };
      await store
        .commit({ preconditions: [precondition], ops: [{ type: 'put', key: entry.key, value }] })
        .catch((error) => {
          // Somebody changed it meanwhile, and it has them.
          if (!(error instanceof ConflictError)) throw error;
        });
    }
}

/** Makes the namespace `default` where it is missing. */
export async function ensureDefaultNamespace(store: Store, ambient: Ambient): Promise<void> {
  const key = keys.object(definition.plural, undefined, DEFAULT_NAMESPACE);
  if (await store.get(key)) return;
  const object: PlumbObject = {
    apiVersion: 'v1',
    kind: definition.kind,
    metadata: {
      name: DEFAULT_NAMESPACE,
      uid: ambient.ids.uid(),
      resourceVersion: '',
      generation: 1,
      labels: { [NAME_LABEL]: DEFAULT_NAMESPACE },
      creationTimestamp: timestamp(ambient.clock.now()),
    },
    spec: { finalizers: [CONTENT_FINALIZER] },
    status: { phase: 'Active' },
  };
  try {
    await store.commit({
      preconditions: [{ key, revision: 0 }],
      ops: [{ type: 'put', key, value: encodeObject(object) }],
    });
  } catch (error) {
    // Another control node made it meanwhile.
    if (!(error instanceof ConflictError)) throw error;
  }
}
