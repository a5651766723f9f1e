import { defineKind, type KindDefinition } from '../define.ts';

/** In `spec.finalizers` as long as there may be something in it. */
export const CONTENT_FINALIZER = 'kubernetes';

/** A label that every namespace has, so that it can be selected by its name. */
export const NAME_LABEL = 'kubernetes.io/metadata.name';

/** A project. It is core/v1, so that kubectl knows it. */
export const namespace = defineKind({
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  group: '',
  scope: 'Cluster',
  selectable: ['status.phase'],
  description: 'A project: what namespaced objects belong to. When it is deleted, everything in it goes first.',
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      finalizers: {
        type: 'array',
        items: { type: 'string' },
        'x-kubernetes-list-type': 'atomic',
        'x-plumb-terraform': false,
        description: 'What it waits for when it is deleted: `kubernetes` is what is in it. The server sets it.',
      },
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      phase: { type: 'string', enum: ['Active', 'Terminating'], description: 'Whether it is in use.' },
      conditions: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
        'x-plumb-terraform': false,
        description: 'Of one that is deleted: what is still in it, and what keeps that.',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['type', 'status'],
          properties: {
            type: { type: 'string', description: 'What it is about.' },
            status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
            lastTransitionTime: { type: 'string', format: 'date-time', description: 'When that began.' },
            reason: { type: 'string', description: 'One UpperCamelCase word for programs.' },
            message: { type: 'string', description: 'A sentence for people.' },
          },
        },
      },
    },
  },
  columns: [{ name: 'Status', path: 'status.phase', type: 'string', description: 'Whether it is in use.' }],
  immutable: [],
  references: [],
  disruption: {},
  terraform: { type: 'project', formerly: ['namespace'] },
  normalize: (object: Sent) => {
    const { metadata } = object;
    object.spec = { ...object.spec, finalizers: [CONTENT_FINALIZER] };
    if (typeof metadata?.name !== 'string' || metadata.name === '') return;
    const labels = metadata.labels ?? {};
    if (typeof labels === 'object') metadata.labels = { ...labels, [NAME_LABEL]: metadata.name };
  },
}) as KindDefinition;

interface Sent {
  metadata?: { name?: unknown; labels?: object | null };
  spec?: object | null;
}
