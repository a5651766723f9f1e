import { defineReview } from './define.ts';

const which = {
  kind: { type: 'string', description: 'The kind.' },
  namespace: { type: 'string', description: 'The project; default, if absent, of what is in one.' },
  name: { type: 'string', description: 'The name.' },
} as const;

/** A value of any type. */
const anything = { 'x-kubernetes-preserve-unknown-fields': true } as const;

const change = {
  type: 'object',
  additionalProperties: false,
  required: ['field'],
  properties: {
    field: { type: 'string', description: 'Where: spec.interfaces[eth0].l3Network.' },
    from: { ...anything, description: 'What is there now; absent when nothing is.' },
    to: { ...anything, description: 'What would be there; absent when nothing would.' },
    secret: { type: 'boolean', description: 'It changes, and its values are not shown.' },
  },
} as const;

const step = {
  type: 'object',
  additionalProperties: false,
  required: ['what', 'host', 'disruption', 'why'],
  properties: {
    what: { type: 'string', description: 'What is done, in words.' },
    host: { type: 'string', description: 'On which host.' },
    disruption: {
      type: 'string',
      enum: ['none', 'live', 'restart', 'replace', 'dataLoss'],
      description: 'What it costs a guest that runs.',
    },
    why: { type: 'string', description: 'Why it is needed.' },
  },
} as const;

const address = {
  type: 'object',
  additionalProperties: false,
  required: ['interface', 'network', 'addresses'],
  properties: {
    interface: { type: 'string', description: 'Name of the interface.' },
    network: { type: 'string', description: 'project/name of the L3Network.' },
    addresses: { type: 'array', items: { type: 'string' }, description: 'Addresses that it has or would get.' },
    macAddress: { type: 'string', description: 'Absent while it is not known: before the instance is made.' },
  },
} as const;

const planned = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'name', 'action', 'changes', 'steps'],
  properties: {
    ...which,
    action: {
      type: 'string',
      enum: ['Create', 'Update', 'Replace', 'Delete', 'None'],
      description: 'What becomes of it. Replace: its disk, and what is on it, gives way to another one.',
    },
    uid: { type: 'string', description: 'Of what is there now; absent when nothing is.' },
    generation: { type: 'integer', description: 'Of what is there now.' },
    changes: { type: 'array', items: change, description: 'Fields that change.' },
    steps: { type: 'array', items: step, description: 'What is done on hosts, in order.' },
    host: { type: 'string', description: 'Where it runs or would run.' },
    addresses: { type: 'array', items: address, description: 'What it has or would have on its networks.' },
    problem: {
      type: 'object',
      additionalProperties: false,
      required: ['reason', 'message', 'terminal'],
      description: 'What blocks it.',
      properties: {
        reason: { type: 'string', description: 'One UpperCamelCase word for programs.' },
        message: { type: 'string', description: 'A sentence for people.' },
        terminal: { type: 'boolean', description: 'Whether it can never be done; else it waits.' },
        field: { type: 'string', description: 'The field that it is about, where it is about one: spec.image.' },
      },
    },
    contested: {
      type: 'array',
      description: 'Fields that other managers own, and that the manager of the review takes, or declares no more.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['field', 'managers', 'outcome'],
        properties: {
          field: { type: 'string', description: 'Where: spec.interfaces[name="eth0"].l3Network.' },
          managers: { type: 'array', items: { type: 'string' }, description: 'Who owns it.' },
          outcome: {
            type: 'string',
            enum: ['Taken', 'Refused', 'Stays'],
            description:
              'Taken: it is declared otherwise here, and taken. Refused: it is not taken. Stays: it is declared here no more, and stays as others have it.',
          },
        },
      },
    },
    restart: {
      type: 'boolean',
      description: 'It runs on with what it has, and gets what is declared only when it is started again.',
    },
    note: { type: 'string', description: 'What else is worth knowing.' },
  },
} as const;

/** What applying manifests would do. */
export const planReview = defineReview({
  kind: 'PlanReview',
  plural: 'planreviews',
  singular: 'planreview',
  description:
    'What applying manifests would do, told by the planner that does it. It is created and answered, and not stored; nothing is reserved. Objects of one review count for each other.',
  spec: {
    type: 'object',
    additionalProperties: false,
    properties: {
      objects: {
        type: 'array',
        description: 'Manifests, as they would be applied. They are not sent back.',
        items: {
          type: 'object',
          'x-plumb-sensitive': 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          additionalProperties: true,
          required: ['kind', 'metadata'],
          properties: {
            apiVersion: { type: 'string', description: 'Group and version; those of Plumb, if absent.' },
            kind: which.kind,
            metadata: {
              type: 'object',
              additionalProperties: true,
              required: ['name'],
              description: 'Its metadata.',
              properties: { name: which.name, namespace: which.namespace },
            },
            spec: { type: 'object', additionalProperties: true, description: 'Its spec.' },
          },
        },
      },
      manager: {
        type: 'string',
        maxLength: 128,
        description:
          'Who applies the manifests, as in server-side apply: what it owns and declares no more goes, what others own stays. Without it manifests are taken as whole objects.',
      },
      force: { type: 'boolean', description: 'Whether the manager takes what others own; else that is a problem.' },
      deletions: {
        type: 'array',
        description: 'Objects that would be deleted beside that.',
        items: { type: 'object', additionalProperties: false, required: ['kind', 'name'], properties: which },
      },
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      revision: { type: 'string', description: 'The revision of the store that the answer speaks of.' },
      digest: {
        type: 'string',
        description:
          'Of everything below: as long as the same question has the same digest, what would be done is the same.',
      },
      objects: {
        type: 'array',
        items: planned,
        description: 'What becomes of each, in the order of the question: objects, then deletions.',
      },
      affected: {
        type: 'array',
        items: planned,
        description: 'What becomes of others, since an object of the review changes.',
      },
    },
  },
});
