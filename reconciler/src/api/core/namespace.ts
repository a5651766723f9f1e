/** Namespaces: the projects that namespaced objects belong to. Core v1, so that kubectl knows them. */

import type { Ambient } from '@plumb/schemas';
import { defineKind, type KindDefinition, type PlumbObject } from '@plumb/schemas';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject } from '../../store/object-codec.ts';
import type { Store } from '../../store/store.ts';
import { tableOf, type WritableResource } from '../resource.ts';
import { timestamp } from './event-entries.ts';

/** The namespace that is always there. */
export const DEFAULT_NAMESPACE = 'default';

const definition = defineKind({
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  scope: 'Cluster',
  description: 'A project: what namespaced objects belong to. It can be deleted when nothing is in it.',
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      finalizers: { type: 'array', items: { type: 'string' }, description: 'Accepted and without effect.' },
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: { phase: { type: 'string', enum: ['Active', 'Terminating'], description: 'Whether it is in use.' } },
  },
  columns: [{ name: 'Status', path: 'status.phase', type: 'string', description: 'Whether it is in use.' }],
  immutable: [],
  references: [],
  disruption: {},
}) as KindDefinition;

/** core/v1 Namespace. It has no finalizer: nothing of it lives on hosts. */
export function namespaceResource(store: Store): WritableResource {
  return {
    group: '',
    version: 'v1',
    apiVersion: 'v1',
    kind: definition.kind,
    plural: definition.plural,
    singular: definition.singular,
    shortNames: definition.shortNames,
    categories: [],
    scope: definition.scope,
    store,
    definition,
    finalizer: undefined,
    initialStatus: { phase: 'Active' },
    table: tableOf(definition),
    selectable: {
      'status.phase': (object) => (object as PlumbObject<unknown, { phase?: string }>).status?.phase ?? '',
    },
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
