import { commonStatus, deletionProtection } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

export const host = defineKind({
  kind: 'Host',
  plural: 'hosts',
  singular: 'host',
  shortNames: ['ho'],
  scope: 'Cluster',
  description:
    'A machine that runs instances. It becomes Ready when the agent of the same name connects; an agent whose host is not declared waits.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['zone'],
    properties: {
      zone: { type: 'string', description: 'Name of the Zone in which the host stands.' },
      unschedulable: {
        type: 'boolean',
        default: false,
        description: 'Cordoned: the host gets no new instances; those it has stay.',
      },
      cpuOvercommitRatio: {
        type: 'number',
        minimum: 0.1,
        maximum: 100,
        default: 8,
        description: 'How many virtual CPUs are handed out per physical CPU.',
      },
      memoryOvercommitRatio: {
        type: 'number',
        minimum: 0.1,
        maximum: 10,
        default: 1,
        description: 'How much memory is handed out per MiB of physical memory.',
      },
      capacity: {
        type: 'object',
        additionalProperties: false,
        description:
          'What instances may have of the host at most, before overcommit, whatever its agent claims. Without it the claim counts, up to the limits of the server.',
        properties: {
          cpus: { type: 'integer', minimum: 1, maximum: 1_048_576, description: 'Physical CPUs.' },
          memoryMiB: { type: 'integer', minimum: 1, maximum: 1_099_511_627_776, description: 'Memory.' },
        },
      },
      tunnelAddress: {
        type: 'string',
        format: 'ipv4',
        description:
          "Address at which other hosts reach the host's VXLAN endpoint. Without it, the address that the stream of its agent comes from.",
      },
      deletionProtection,
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...commonStatus,
      driver: { type: 'string', description: 'The driver of the agent: libvirt or simulated.' },
      agentVersion: { type: 'string', description: 'Version of the agent.' },
      cpus: { type: 'integer', description: 'Physical CPUs that count: as its agent says, bounded by spec.capacity.' },
      memoryMiB: {
        type: 'integer',
        description: 'Memory that instances may use, before overcommit: as its agent says, bounded by spec.capacity.',
      },
      tunnelAddress: { type: 'string', description: 'Address of the VXLAN endpoint that other hosts are told.' },
      fenced: {
        type: 'object',
        additionalProperties: false,
        required: ['at', 'by'],
        description:
          'A person said that the host is off (plumb host fence): what ran there may go on elsewhere or be deleted. It ends when the agent is back, and what went on elsewhere is removed.',
        properties: {
          at: { type: 'string', format: 'date-time', description: 'When it was said.' },
          by: { type: 'string', description: 'Who said it.' },
        },
      },
      orphans: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['kind', 'id'],
        description:
          'What lives on the host and belongs to no object that the store knows, or is of a type that the server does not know. Plumb never touches it by itself (plumb orphans).',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['kind', 'id', 'owner'],
          properties: {
            kind: { type: 'string', description: 'What it is: domain, disk, port …' },
            id: { type: 'string', description: 'Its identity on the host.' },
            owner: { type: 'string', description: 'The uid of the object that it was made for.' },
          },
        },
      },
    },
  },
  columns: [
    { name: 'Zone', path: 'spec.zone', type: 'string', description: 'The zone of the host.' },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether the agent is connected.',
    },
    { name: 'Reason', path: 'status.conditions[Ready].reason', type: 'string', description: 'Why.' },
    { name: 'CPUs', path: 'status.cpus', type: 'integer', description: 'Physical CPUs.' },
    { name: 'Memory MiB', path: 'status.memoryMiB', type: 'integer', description: 'Memory for instances.' },
    { name: 'Driver', path: 'status.driver', type: 'string', description: 'The driver of the agent.', priority: 1 },
  ],
  immutable: ['zone'],
  references: [{ path: 'zone', kind: 'Zone' }],
  disruption: {},
});

export type Host = ObjectOf<typeof host>;
