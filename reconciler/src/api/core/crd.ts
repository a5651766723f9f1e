/**
 * apiextensions.k8s.io/v1 CustomResourceDefinition: Plumb's kinds as programs look for them there. Read only: a kind is part of the
 * server, and changes with it.
 */
import { createHash } from 'node:crypto';
import type { Ambient, KindDefinition } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { crdNames, customResourceDefinition } from '@plumb/schemas/project/crd.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { ReadableStore } from '../../store/store.ts';
import type { Resource } from '../resource.ts';

const PLURAL = 'customresourcedefinitions';

/** The resource; its objects never change while the server runs. */
export async function crdResource(kinds: readonly KindDefinition[], ambient: Ambient): Promise<Resource> {
  return {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    plural: PLURAL,
    singular: 'customresourcedefinition',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    scope: 'Cluster',
    store: await storeOf(kinds, timestamp(ambient.clock.now())),
    table: {
      columns: [
        { name: 'Name', type: 'string', format: 'name', description: 'Name of the object.', priority: 0 },
        {
          name: 'Created At',
          type: 'date',
          format: '',
          description: 'When the server began to serve it.',
          priority: 0,
        },
      ],
      row(object) {
        const { metadata } = object as { metadata: { name: string; creationTimestamp: string } };
        return [metadata.name, metadata.creationTimestamp];
      },
    },
    selectable: {},
  };
}

async function storeOf(kinds: readonly KindDefinition[], began: string): Promise<ReadableStore> {
  const store = new MemoryStore();
  for (const kind of kinds) {
    const { metadata, ...definition } = customResourceDefinition(kind);
    const { name } = metadata;
    const { apiVersion, kind: crd, spec } = definition;
    const object = {
      ...{ apiVersion, kind: crd },
      metadata: { name, uid: uidOf(name), generation: 1, creationTimestamp: began },
      ...{ spec, status: statusOf(kind, began) },
    };
    const op = { type: 'put' as const, key: keys.object(PLURAL, undefined, name), value: JSON.stringify(object) };
    await store.commit({ preconditions: [], ops: [op] });
  }
  return store;
}

function statusOf(kind: KindDefinition, began: string) {
  const condition = (type: string, reason: string, message: string) => ({
    ...{ type, status: 'True', lastTransitionTime: began, reason, message },
  });
  return {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: crdNames(kind),
    storedVersions: ['v1'],
  };
}

/** The same in every process: clients tell by it that it is the one they know. */
function uidOf(name: string): string {
  const hex = createHash('sha256').update(`customresourcedefinition/${name}`).digest('hex');
  // The shape of a name-based UUID (RFC 9562 section 5.8).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
