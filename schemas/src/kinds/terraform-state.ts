import { commonStatus, deletionProtection } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

const text = (description: string) => ({ type: 'string', description }) as const;
const count = (description: string) => ({ type: 'integer', minimum: 0, description }) as const;

const version = {
  serial: count('Serial of the state, as Terraform counts.'),
  lineage: text('Lineage of the state: what Terraform knows it by, from its first write on.'),
  bytes: count('Size of the state.'),
  resources: count('Instances of resources in it.'),
  terraformVersion: text('Version of Terraform that wrote it.'),
  writtenAt: text('When it was written (RFC 3339, UTC).'),
  writtenBy: text('User who wrote it.'),
} as const;

export const terraformState = defineKind({
  kind: 'TerraformState',
  plural: 'terraformstates',
  singular: 'terraformstate',
  shortNames: ['tfs'],
  scope: 'Namespaced',
  names: 'subdomain',
  description:
    "A state of Terraform that the server keeps for its http backend, with its lock and its last versions. What is in the state is stored encrypted, and shown by the backend's address alone.",
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      description: { type: 'string', maxLength: 1024, description: 'A note for people.' },
      deletionProtection,
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...commonStatus,
      ...version,
      lock: {
        type: 'object',
        additionalProperties: false,
        description: 'Who works on the state. A lock ends when it is given back, never by time.',
        properties: {
          id: text('ID of the lock, which terraform force-unlock wants.'),
          operation: text('What Terraform does.'),
          who: text('User and host, as Terraform says.'),
          user: text('User of this server who took it.'),
          address: text('Where the request came from.'),
          since: text('When it was taken (RFC 3339, UTC).'),
        },
      },
      versions: {
        type: 'array',
        'x-kubernetes-list-type': 'atomic',
        description: 'Versions that are kept, the newest first: plumb state rollback makes one of them the newest.',
        items: { type: 'object', additionalProperties: false, properties: version },
      },
    },
  },
  columns: [
    { name: 'Serial', path: 'status.serial', type: 'integer', description: 'Serial of the state.' },
    { name: 'Resources', path: 'status.resources', type: 'integer', description: 'Instances of resources in it.' },
    { name: 'Locked by', path: 'status.lock.who', type: 'string', description: 'Who works on it.' },
    { name: 'Written', path: 'status.writtenAt', type: 'date', description: 'When it was last written.' },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether Terraform can use it.',
    },
    {
      name: 'Message',
      path: 'status.conditions[Ready].message',
      type: 'string',
      description: 'In words.',
      priority: 1,
    },
  ],
  immutable: [],
  references: [],
  disruption: {},
  // A state is made before the first terraform init: what Terraform itself keeps in it cannot be what makes it.
  terraform: false,
});

export type TerraformState = ObjectOf<typeof terraformState>;
