import { commonStatus, deletionProtection } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';
import { l3Rules } from './l3-rules.ts';

const ipv4Address = {
  type: 'string',
  format: 'ipv4',
} as const;

export const l3Network = defineKind({
  kind: 'L3Network',
  plural: 'l3networks',
  singular: 'l3network',
  shortNames: ['l3'],
  scope: 'Namespaced',
  description: 'An IP subnet on an L2 network: its addresses, DHCP and DNS.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['l2Network', 'ipv4'],
    properties: {
      l2Network: { type: 'string', description: 'Name of the L2Network that carries the subnet.' },
      ipv4: {
        type: 'object',
        additionalProperties: false,
        required: ['cidr'],
        description: 'The IPv4 subnet.',
        properties: {
          cidr: {
            type: 'string',
            format: 'cidr',
            description: 'The subnet with its prefix length, e.g. 10.20.0.0/24.',
          },
          gateway: { ...ipv4Address, description: 'The default router of the instances; none, if absent.' },
          ranges: {
            type: 'array',
            maxItems: 64,
            'x-kubernetes-list-type': 'atomic',
            description: 'Where addresses are taken from that nobody asked for by name; the whole subnet, if absent.',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['start', 'end'],
              properties: {
                start: { ...ipv4Address, description: 'First address of the range.' },
                end: { ...ipv4Address, description: 'Last address of the range, included.' },
              },
            },
          },
          reserved: {
            type: 'array',
            maxItems: 1024,
            'x-kubernetes-list-type': 'set',
            items: ipv4Address,
            description: 'Addresses that no instance ever gets.',
          },
        },
      },
      gateway: {
        type: 'string',
        enum: ['external', 'distributed'],
        description:
          "external: someone else's router owns the gateway address. distributed: every host answers for it. Default: external on flat, distributed on vxlan.",
      },
      dns: {
        type: 'object',
        additionalProperties: false,
        description: 'Names.',
        properties: {
          domain: {
            type: 'string',
            maxLength: 253,
            pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$',
            description: 'Domain of the instances.',
          },
          servers: {
            type: 'array',
            maxItems: 3,
            'x-kubernetes-list-type': 'atomic',
            items: ipv4Address,
            description: "Resolvers handed out by DHCP; the network's own, if absent.",
          },
        },
      },
      deletionProtection,
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...commonStatus,
      dhcpAddress: {
        type: 'string',
        description: 'The address from which DHCP answers.',
        'x-plumb-settled': true,
        'x-plumb-altered-by': ['l2Network', 'ipv4', 'gateway'],
      },
    },
  },
  columns: [
    { name: 'L2', path: 'spec.l2Network', type: 'string', description: 'The L2 network.' },
    { name: 'CIDR', path: 'spec.ipv4.cidr', type: 'string', description: 'The subnet.' },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether instances can be attached.',
    },
  ],
  immutable: ['l2Network', 'ipv4.cidr'],
  references: [{ path: 'l2Network', kind: 'L2Network' }],
  disruption: {},
  rules: l3Rules,
});

export type L3Network = ObjectOf<typeof l3Network>;
