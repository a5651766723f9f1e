/** Namespaces: the projects that namespaced objects belong to. Core v1, so that kubectl knows them. */

import { type Ambient, namespace as definition, type PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject } from '../../store/object-codec.ts';
import type { Store } from '../../store/store.ts';
import { resourceOfKind, type WritableResource } from '../resource.ts';
import { defaultServiceAccount } from './default-service-account.ts';

/** The namespace that is always there. */
export const DEFAULT_NAMESPACE = 'default';

/** core/v1 Namespace. It has no finalizer: nothing of it lives on hosts. */
export function namespaceResource(store: Store): WritableResource {
  return {
    ...resourceOfKind(definition, store),
    initialStatus: { phase: 'Active' },
    beside: ({ metadata }, ambient) => [defaultServiceAccount(metadata.name, ambient)],
  };
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
      creationTimestamp: timestamp(ambient.clock.now()),
    },
    spec: {},
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
