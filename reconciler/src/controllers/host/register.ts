/** Declaring a host because its own agent asks for it (`plumb agent --register ZONE`). */

import { type Ambient, API_GROUP_VERSION, host, type PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject } from '../../store/object-codec.ts';
import type { Store } from '../../store/store.ts';

/** Makes the Host object; succeeds when there is one already. */
export async function registerHost(
  { store, ambient }: { store: Store; ambient: Ambient },
  name: string,
  zone: string,
): Promise<void> {
  const object: PlumbObject = applyDefaults(host, {
    apiVersion: API_GROUP_VERSION,
    kind: host.kind,
    metadata: {
      name,
      uid: ambient.ids.uid(),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: timestamp(ambient.clock.now()),
      finalizers: ['plumb.dev/host'],
    },
    spec: { zone },
  });
  const key = keys.object(host.plural, undefined, name);
  try {
    await store.commit({
      preconditions: [{ key, revision: 0 }],
      ops: [{ type: 'put', key, value: encodeObject(object) }],
    });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}
