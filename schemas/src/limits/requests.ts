import type { LimitDefinitions } from './define.ts';

/** The bounds on requests to the API, and on the objects in them. */
export const requestLimitDefinitions = {
  selectorBytes: {
    description: 'Length of a label selector or a field selector.',
    above: 'The request is refused with 400.',
    default: 4096,
    minimum: 256,
    maximum: 65_536,
  },
  bodyBytes: {
    description: 'Size of the body of a request.',
    above: 'The request is refused with 413.',
    default: 3 * 1024 * 1024,
    minimum: 65_536,
    maximum: 64 * 1024 * 1024,
  },
  yamlBytes: {
    description: 'Size of a body of YAML; JSON is what programs send.',
    above: 'The request is refused with 400.',
    default: 131_072,
    minimum: 16_384,
    maximum: 1024 * 1024,
  },
  jsonDepth: {
    description: 'Objects and lists in each other in a body, and in the object that a patch makes.',
    above: 'The request is refused with 400; a patch with 413.',
    default: 100,
    minimum: 32,
    maximum: 1_000,
  },
  objectBytes: {
    description: 'Size of an object as it is stored.',
    above: 'The write is refused with 413; the object stays as it is.',
    default: 1024 * 1024,
    minimum: 65_536,
    maximum: 1536 * 1024,
  },
  dataObjectBytes: {
    description: 'Size of a Secret or ConfigMap as it is stored: 1 MiB of data in base64, and its metadata.',
    above: 'The write is refused with 413; the object stays as it is.',
    default: 1_700_000,
    minimum: 1024 * 1024,
    maximum: 4 * 1024 * 1024,
  },
  annotationBytes: {
    description: 'Keys and values of all annotations of an object, as Kubernetes counts them.',
    above: 'The write is refused with 422.',
    default: 262_144,
    minimum: 65_536,
    maximum: 1024 * 1024,
  },
  labelBytes: {
    description: 'Keys and values of all labels of an object.',
    above: 'The write is refused with 422.',
    default: 65_536,
    minimum: 4_096,
    maximum: 1024 * 1024,
  },
  patchOperations: {
    description: 'Operations of a JSON Patch.',
    above: 'The patch is refused with 413.',
    default: 10_000,
    minimum: 100,
    maximum: 100_000,
  },
  patchGrowthBytes: {
    description:
      'Bytes that the operations of one JSON Patch add, and bytes that they compare and move (16 at least for each value).',
    above: 'The patch is refused with 413.',
    default: 3 * 1024 * 1024,
    minimum: 65_536,
    maximum: 64 * 1024 * 1024,
  },
} as const satisfies LimitDefinitions;
