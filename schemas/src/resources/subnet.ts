import type { FromSchema } from 'json-schema-to-ts';
import { address, mac, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'bridge', 'cidr', 'serverAddress', 'serverMac', 'mtuBytes', 'dnsServers'],
  properties: {
    name: { type: 'string', description: 'project/name of the L3Network, for people.' },
    bridge: { type: 'string', description: 'id of the bridge.' },
    cidr: { type: 'string' },
    gateway: { ...address, description: 'Default router handed out by DHCP; none, if absent.' },
    serverAddress: {
      ...address,
      description:
        "Address of the host's leg, from which DHCP and DNS answer; equals gateway when the gateway is distributed.",
    },
    serverMac: mac,
    mtuBytes: { type: 'integer' },
    domain: { type: 'string' },
    dnsServers: { type: 'array', items: address, description: 'Resolvers handed out; the leg itself, if empty.' },
  },
} as const;

/** An L3 network on this host: its namespace, gateway leg and DHCP. id and owner: uid of the L3Network. Shared. */
export const subnet = {
  spec,
  sharing: 'shared',
  requires: { bridge: ({ bridge }) => [bridge] },
  part: ({ spec }) => spec.name,
  label: (part) => `the subnet of ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;
