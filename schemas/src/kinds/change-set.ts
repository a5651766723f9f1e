import { commonStatus, labels, name } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

export const changeSet = defineKind({
  kind: 'ChangeSet',
  plural: 'changesets',
  singular: 'changeset',
  shortNames: ['cs'],
  scope: 'Namespaced',
  description:
    'Many objects applied as one: if one of them does not become Ready in time, every object and what runs return to what they were.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['objects'],
    properties: {
      objects: {
        type: 'array',
        minItems: 1,
        maxItems: 100,
        'x-kubernetes-list-type': 'atomic',
        description: 'The objects as they are to be, whole; they are created or replaced in one commit.',
        items: {
          type: 'object',
          'x-plumb-sensitive': 'object',
          additionalProperties: false,
          required: ['kind', 'metadata', 'spec'],
          properties: {
            apiVersion: { type: 'string', description: 'plumb.dev/v1.' },
            kind: { type: 'string', description: 'Kind of the object.' },
            metadata: {
              type: 'object',
              additionalProperties: false,
              required: ['name'],
              description: 'Name, project, labels and annotations.',
              properties: {
                name,
                namespace: { ...name, description: 'Project of the object; that of the ChangeSet, if absent.' },
                labels,
                annotations: {
                  type: 'object',
                  additionalProperties: { type: 'string', 'x-plumb-sensitive': true },
                  description: 'Notes of tools and people.',
                },
              },
            },
            spec: { type: 'object', additionalProperties: true, description: 'Spec of the object.' },
          },
        },
      },
      deadlineSeconds: {
        type: 'integer',
        minimum: 1,
        maximum: 86400,
        default: 600,
        description: 'How long the objects may take to become Ready.',
      },
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: { ...commonStatus },
  },
  columns: [
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether all of it is as declared.',
    },
    { name: 'Reason', path: 'status.conditions[Ready].reason', type: 'string', description: 'Why.' },
    {
      name: 'Message',
      path: 'status.conditions[Ready].message',
      type: 'string',
      description: 'In words.',
      priority: 1,
    },
  ],
  immutable: ['objects', 'deadlineSeconds'],
  references: [],
  disruption: {},
  terraform: false,
  declares: 'objects',
});

export type ChangeSet = ObjectOf<typeof changeSet>;
