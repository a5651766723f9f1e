import type { FromSchema } from 'json-schema-to-ts';
import { address, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'type', 'mtuBytes', 'peers'],
  properties: {
    name: { type: 'string', description: 'Name of the L2Network, for people.' },
    type: { type: 'string', enum: ['flat', 'vxlan'] },
    vni: { type: 'integer' },
    physicalInterface: { type: 'string' },
    mtuBytes: { type: 'integer' },
    peers: { type: 'array', items: address, description: 'VXLAN endpoints of the other hosts, sorted.' },
  },
} as const;

/** The bridge of an L2 network on this host. id and owner: uid of the L2Network. Shared by all ports on it. */
export const bridge = {
  spec,
  sharing: 'shared',
  part: ({ spec }) => spec.name,
  label: (part) => `the bridge of ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;
