import { defineKind, type KindDefinition } from '../define.ts';
import { noSpec } from './no-spec.ts';

const text = (description: string) => ({ type: 'string', description }) as const;

export const serviceAccount = defineKind({
  kind: 'ServiceAccount',
  group: '',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  scope: 'Namespaced',
  names: 'subdomain',
  description:
    'What a program is known as: it shows a token of its own, and may do what roles that it was given allow.',
  ...noSpec,
  fields: {
    type: 'object',
    additionalProperties: false,
    properties: {
      secrets: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'name',
        description: 'Secrets that programs with this account use; a note for people and tools.',
        items: {
          type: 'object',
          additionalProperties: false,
          'x-kubernetes-map-type': 'atomic',
          properties: {
            kind: text('Kind of the object.'),
            namespace: text('Project of the object.'),
            name: text('Name of the object.'),
            uid: text('uid of the object.'),
            apiVersion: text('Group and version of the object.'),
            resourceVersion: text('Version of the object.'),
            fieldPath: text('Part of the object.'),
          },
        },
      },
      imagePullSecrets: {
        type: 'array',
        'x-kubernetes-list-type': 'atomic',
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'name',
        description: 'Kept for tools that know them; Plumb pulls no images by them.',
        items: {
          type: 'object',
          additionalProperties: false,
          'x-kubernetes-map-type': 'atomic',
          properties: { name: text('Name of a Secret in the same project.') },
        },
      },
      automountServiceAccountToken: {
        type: 'boolean',
        description: 'Kept for tools that know it; Plumb mounts nothing.',
      },
    },
  },
  columns: [],
  givesDeleted: true,
  immutable: [],
  references: [],
  disruption: {},
}) as KindDefinition;
