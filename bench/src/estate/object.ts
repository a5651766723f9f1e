/** Objects as the API server stores them, and with the status that their controllers end at. */

import { setConditions } from '@plumb/reconciler/runtime/conditions.ts';
import { API_GROUP_VERSION, kindByName, type PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';

export interface Declaration {
  kind: string;
  name: string;
  uid: string;
  /** When it was made, milliseconds since the epoch. */
  at: number;
  labels?: Record<string, string>;
  spec: Record<string, unknown>;
}

/** What is stored when the declaration was posted; namespaced kinds are in project `default`. */
export function declared({ kind: kindName, name, uid, at, labels, spec }: Declaration): PlumbObject {
  const kind = kindByName(kindName)!;
  return applyDefaults(kind, {
    apiVersion: API_GROUP_VERSION,
    kind: kindName,
    metadata: {
      name,
      ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
      uid,
      resourceVersion: '',
      generation: 1,
      creationTimestamp: timestamp(at),
      ...(labels ? { labels } : {}),
      finalizers: [`plumb.dev/${kindName.toLowerCase()}`],
    },
    spec: { ...spec },
  });
}

/** The object with a status that says that it is Ready at its generation. */
export function settled(
  object: PlumbObject,
  status: Record<string, unknown>,
  { reason, message }: { reason: string; message: string },
  at: number,
): PlumbObject {
  const { generation } = object.metadata;
  const conditions = setConditions(undefined, [{ type: 'Ready', status: 'True', reason, message }], generation, at);
  return { ...object, status: { ...status, observedGeneration: generation, conditions } };
}
