/** The JSON Schemas every object shares. Source of the shapes: the Kubernetes API conventions (metav1). */

/** A DNS label (RFC 1123 section 2.1): what every name must be, since instance names become host names. */
export const NAME_PATTERN = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

export const name = {
  type: 'string',
  pattern: NAME_PATTERN,
  description: 'Lower case letters, digits and dashes, at most 63, beginning and ending with a letter or digit.',
} as const;

/** RFC 1123 labels with dots between them: what Kubernetes takes as the name of most of its kinds. */
export const SUBDOMAIN_PATTERN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';
/**
 * What can be a segment of a path: neither `.` nor `..`, and without slash and percent sign. Kubernetes takes other characters than
 * printable ones of ASCII, too; keys of the store do not.
 */
export const SEGMENT_PATTERN = '^(?!\\.{1,2}$)[!-$&-.0-~]+$';

/** By rule: see NameRule in kinds/define.ts. */
export const nameRules = {
  label: name,
  subdomain: {
    type: 'string',
    maxLength: 253,
    pattern: SUBDOMAIN_PATTERN,
    description:
      'Lower case letters, digits, dashes and dots, at most 253, each part beginning and ending with a letter or digit.',
  },
  segment: {
    type: 'string',
    minLength: 1,
    maxLength: 253,
    pattern: SEGMENT_PATTERN,
    description: 'Printable characters of ASCII but slash and percent sign, at most 253; neither . nor ..',
  },
} as const;

export const labels = {
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 63 },
  description: 'Key and value pairs by which objects are selected and grouped.',
} as const;

export const objectMeta = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'uid', 'resourceVersion', 'generation', 'creationTimestamp'],
  properties: {
    name,
    namespace: { ...name, description: 'The project that the object belongs to; absent on cluster-scoped kinds.' },
    generateName: { type: 'string', description: 'What the server made the name from, if it made it.' },
    uid: { type: 'string', description: 'Unique in time and space; set by the server.' },
    resourceVersion: { type: 'string', description: 'Changes with every write; opaque to clients.' },
    generation: { type: 'integer', description: 'Counts the changes of spec.' },
    creationTimestamp: { type: 'string', description: 'When the object was created (RFC 3339, UTC).' },
    deletionTimestamp: {
      type: 'string',
      description: 'When deletion was asked for; the object goes when its finalizers are gone.',
    },
    deletionGracePeriodSeconds: {
      type: 'integer',
      description: 'Set at deletion, always 0: nothing waits by the clock.',
    },
    labels,
    annotations: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Notes of tools and people; Plumb does not interpret them.',
    },
    finalizers: {
      type: 'array',
      maxItems: 100,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string' },
      description: 'What must happen before the object may go.',
    },
    ownerReferences: {
      type: 'array',
      maxItems: 100,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      description: 'Objects on which this one depends: it is deleted when all of them are gone.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          name: { type: 'string' },
          uid: { type: 'string' },
          controller: { type: 'boolean' },
          blockOwnerDeletion: { type: 'boolean' },
        },
      },
    },
    managedFields: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      description: 'Who owns which fields of the object; set by the server (server-side apply).',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          manager: { type: 'string' },
          operation: { type: 'string' },
          apiVersion: { type: 'string' },
          time: { type: 'string' },
          fieldsType: { type: 'string' },
          fieldsV1: { type: 'object', additionalProperties: true },
          subresource: { type: 'string' },
        },
      },
    },
  },
} as const;

export const condition = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: { type: 'string', description: 'What the condition speaks of, e.g. Ready.' },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string', description: 'One UpperCamelCase word for programs.' },
    message: { type: 'string', description: 'A sentence for people: what, where, why, what to do.' },
    field: { type: 'string', description: 'The field that it is about, where it is about one: spec.image.' },
    observedGeneration: { type: 'integer', description: 'The generation this was said of.' },
    lastTransitionTime: { type: 'string', description: 'When the status of this condition last changed (RFC 3339).' },
  },
} as const;

export const conditions = {
  type: 'array',
  items: condition,
  description: 'What is true of the object now: Ready first; Stalled when only a change of its inputs helps.',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
} as const;

/** A spec property of every kind of Plumb's own that is not of one use only. See meta/protection.ts. */
export const deletionProtection = {
  type: 'boolean',
  description:
    'Whether every deletion is refused, whoever asks and by whatever way. Set it to false before you delete.',
} as const;

/** The two status properties of every kind. */
export const commonStatus = {
  observedGeneration: { type: 'integer', description: 'The generation that status speaks of.' },
  conditions,
} as const;

/** In the status of every kind whose objects are made on a host that is chosen for them. */
export const placedStatus = {
  ...commonStatus,
  host: { type: 'string', description: 'The host it is placed on.' },
  applied: {
    type: 'string',
    description:
      'Short digest of what was made last. As long as what is declared comes to the same, whatever differs on the host is drift.',
  },
} as const;
