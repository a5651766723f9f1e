import { defineKind, type KindDefinition } from '../define.ts';

/** A project. It is core/v1, so that kubectl knows it. */
export const namespace = defineKind({
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  group: '',
  scope: 'Cluster',
  selectable: ['status.phase'],
  description: 'A project: what namespaced objects belong to. It can be deleted when nothing is in it.',
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      finalizers: {
        type: 'array',
        items: { type: 'string' },
        'x-kubernetes-list-type': 'atomic',
        description: 'Accepted and without effect.',
      },
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
