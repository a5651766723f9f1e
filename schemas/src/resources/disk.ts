import type { FromSchema } from 'json-schema-to-ts';
import { bytes, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['image', 'imageFormat'],
  properties: {
    image: { type: 'string', description: 'id of the image.' },
    imageFormat: { type: 'string', enum: ['qcow2', 'raw'] },
    sizeBytes: { ...bytes, description: 'Virtual size; that of the image, if absent or smaller.' },
  },
} as const;

/** A root disk: a linked clone of an image. id: `<instance uid>.root`, or `….root-<sum>` after a replacement. */
export const disk = {
  spec,
  sharing: 'owned',
  holdsData: true,
  requires: { image: ({ image }) => [image] },
  part: ({ id, owner }) => id.slice(owner.length + 1),
  label: () => 'the root disk',
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;
