import type { FromSchema } from 'json-schema-to-ts';
import { address, mac, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['bridge', 'subnet', 'macAddress', 'addresses', 'hostname', 'mtuBytes'],
  properties: {
    bridge: { type: 'string', description: 'id of the bridge.' },
    subnet: { type: 'string', description: 'id of the subnet.' },
    macAddress: mac,
    addresses: { type: 'array', items: address },
    hostname: { type: 'string' },
    mtuBytes: { type: 'integer' },
  },
} as const;

/** A tap with its DHCP lease and its filter against spoofing. id: `<instance uid>.<interface name>`. */
export const port = {
  spec,
  sharing: 'owned',
  requires: { bridge: ({ bridge }) => [bridge], subnet: ({ subnet }) => [subnet] },
  part: ({ id, owner }) => id.slice(owner.length + 1),
  label: (part) => `the interface ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;
