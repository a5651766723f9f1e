import { commonStatus, deletionProtection } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

export const zone = defineKind({
  kind: 'Zone',
  plural: 'zones',
  singular: 'zone',
  shortNames: ['zn'],
  scope: 'Cluster',
  description:
    'A place where hosts stand that share power and wiring. Hosts and L2 networks belong to one zone; instances run in one.',
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      description: { type: 'string', maxLength: 1024, description: 'A note for people.' },
      deletionProtection,
    },
  },
  status: { type: 'object', additionalProperties: false, properties: { ...commonStatus } },
  columns: [
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether the zone can be used.',
    },
  ],
  immutable: [],
  references: [],
  disruption: {},
});

export type Zone = ObjectOf<typeof zone>;
