/** Stands in for every controller: what is declared is Ready at once, what is deleted is finished at once. */
import type { EventRing } from '@plumb/reconciler/runtime/events.ts';
import { ConflictError } from '@plumb/reconciler/store/errors.ts';
import { keys, pluralOf } from '@plumb/reconciler/store/keys.ts';
import { decodeObject, encodeObject, removalOps } from '@plumb/reconciler/store/object-codec.ts';
import type { Store } from '@plumb/reconciler/store/store.ts';
import { kinds, type PlumbObject } from '@plumb/schemas';

/** Objects with this annotation are failed for good, with its text as the message. */
export const FAIL = 'test.plumb.dev/fail';
/** Objects with this annotation are not touched while they have it. */
export const HOLD = 'test.plumb.dev/hold';

/** Works until `signal` aborts. */
export async function standIn(store: Store, events: EventRing, signal: AbortSignal): Promise<void> {
  for await (const { changes } of store.watch(keys.objects, 0, signal)) {
    for (const { key, value } of changes) {
      const plural = pluralOf(key);
      if (value !== undefined && kinds.some((kind) => kind.plural === plural)) await settle(store, events, key);
    }
  }
}

async function settle(store: Store, events: EventRing, key: string): Promise<void> {
  const entry = await store.get(key);
  if (!entry) return;
  const object = decodeObject(entry);
  const { metadata, status } = object;
  if (metadata.annotations?.[HOLD] !== undefined) return;
  const preconditions = [{ key, revision: entry.revision }];
  try {
    if (metadata.deletionTimestamp) {
      await store.commit({ preconditions, ops: removalOps(key, object, Date.now()) });
    } else if (status?.observedGeneration !== metadata.generation) {
      const told = withConditions(object);
      await store.commit({ preconditions, ops: [{ type: 'put', key, value: encodeObject(told) }] });
      events.record({ object, type: 'Normal', reason: 'AsDeclared', message: `${metadata.name} is as declared` });
    }
  } catch (error) {
    // Changed meanwhile: the watch brings it again.
    if (!(error instanceof ConflictError)) throw error;
  }
}

function withConditions(object: PlumbObject): PlumbObject {
  const { generation, annotations } = object.metadata;
  const failure = annotations?.[FAIL];
  const said = (type: string, status: 'True' | 'False', reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    observedGeneration: generation,
    lastTransitionTime: new Date().toISOString(),
  });
  const conditions =
    failure === undefined
      ? [said('Ready', 'True', 'AsDeclared', 'It is as declared.')]
      : [said('Ready', 'False', 'OnPurpose', failure), said('Stalled', 'True', 'OnPurpose', failure)];
  return { ...object, status: { ...object.status, observedGeneration: generation, conditions } };
}
