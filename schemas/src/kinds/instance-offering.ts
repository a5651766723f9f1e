import { commonStatus, deletionProtection } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

export const instanceOffering = defineKind({
  kind: 'InstanceOffering',
  plural: 'instanceofferings',
  singular: 'instanceoffering',
  shortNames: ['io'],
  scope: 'Cluster',
  description: 'A size of instance: CPUs and memory.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['cpus', 'memoryMiB'],
    properties: {
      cpus: {
        type: 'integer',
        minimum: 1,
        maximum: 512,
        description: 'Virtual CPUs; where the host can, more of them come while the guest runs.',
      },
      memoryMiB: { type: 'integer', minimum: 16, maximum: 16777216, description: 'Memory.' },
      deletionProtection,
    },
  },
  status: { type: 'object', additionalProperties: false, properties: { ...commonStatus } },
  columns: [
    { name: 'CPUs', path: 'spec.cpus', type: 'integer', description: 'Virtual CPUs.' },
    { name: 'Memory MiB', path: 'spec.memoryMiB', type: 'integer', description: 'Memory.' },
    { name: 'Ready', path: 'status.conditions[Ready].status', type: 'string', description: 'Whether it can be used.' },
  ],
  immutable: [],
  references: [],
  disruption: { cpus: 'restart', memoryMiB: 'restart' },
});

export type InstanceOffering = ObjectOf<typeof instanceOffering>;
