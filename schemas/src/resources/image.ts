import type { FromSchema } from 'json-schema-to-ts';
import { bytes, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['url', 'sha256', 'format', 'maxBytes'],
  properties: {
    url: { type: 'string', 'x-plumb-sensitive': 'url' },
    sha256: { type: 'string' },
    format: { type: 'string', enum: ['qcow2', 'raw'] },
    maxBytes: { ...bytes, description: 'Bound of the file and of the virtual disk.' },
  },
} as const;

/** A base image in the host's cache. id: its sha256. owner: uid of the Image. Shared by all disks cloned from it. */
export const image = {
  spec,
  sharing: 'shared',
  part: ({ id }) => id.slice(0, 12),
  label: (part) => `the image ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;
