import type { FromSchema } from 'json-schema-to-ts';
import { commonStatus, deletionProtection, name } from '../meta/schema.ts';
import { address, type ResourceDefinition } from '../resources/define.ts';
import { labelSelector } from './builtin/label-selector.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';
import { securityGroupRules } from './security-group-rules.ts';

const port = { type: 'integer', minimum: 1, maximum: 65535 } as const;
const cidr = { type: 'string', format: 'cidr' } as const;

/** What a rule says of a packet beside its other end; the same in a declaration and on a host. */
const match = {
  protocol: {
    type: 'string',
    enum: ['TCP', 'UDP', 'ICMP'],
    description: 'Which packets; all of IPv4, if absent.',
  },
  port: { ...port, description: 'Destination port of TCP or UDP; every port, if absent.' },
  endPort: { ...port, description: 'Last port of a range that begins with port.' },
  icmpType: {
    type: 'integer',
    minimum: 0,
    maximum: 255,
    description: 'Type of the ICMP message (RFC 792); every type, if absent.',
  },
  icmpCode: {
    type: 'integer',
    minimum: 0,
    maximum: 255,
    description: 'Code of the ICMP message; every code of the type, if absent.',
  },
} as const;

const rules = (what: string, end: string) =>
  ({
    type: 'array',
    maxItems: 256,
    'x-kubernetes-list-type': 'atomic',
    description: what,
    items: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ...match,
        cidrs: {
          type: 'array',
          maxItems: 64,
          'x-kubernetes-list-type': 'set',
          items: cidr,
          description: `Subnets of the ${end}, e.g. 10.20.0.0/24. With neither cidrs nor securityGroups: any ${end}.`,
        },
        securityGroups: {
          type: 'array',
          maxItems: 16,
          'x-kubernetes-list-type': 'set',
          items: { type: 'string' },
          description: `SecurityGroups of the project; the ${end} is an address of an interface that one of them selects.`,
        },
      },
    },
  }) as const;

const hostRule = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...match,
    cidrs: { type: 'array', items: { type: 'string' }, description: 'Subnets of the other end.' },
    groups: { type: 'array', items: { type: 'string' }, description: 'ids of address groups of the other end.' },
  },
} as const;

const filterSpec = {
  type: 'object',
  additionalProperties: false,
  required: ['port', 'rulesets'],
  properties: {
    port: { type: 'string', description: 'id of the port.' },
    rulesets: { type: 'array', items: { type: 'string' }, description: 'ids of the rulesets, which add up; sorted.' },
  },
} as const;

/** The filter of a port by the groups that select it. id: that of the port. Before a guest can send or hear anything. */
const portFilter = {
  spec: filterSpec,
  sharing: 'owned',
  requires: { port: ({ port }) => [port], ruleset: ({ rulesets }) => rulesets },
  before: ['domain'],
  part: ({ id, owner }) => id.slice(owner.length + 1),
  label: (part) => `the filter of the interface ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof filterSpec>>;

const rulesetSpec = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'ingress'],
  properties: {
    name: { type: 'string', description: 'project/name of the SecurityGroup, for people.' },
    ingress: { type: 'array', items: hostRule, description: 'What may come in.' },
    egress: { type: 'array', items: hostRule, description: 'What may go out; everything, if absent.' },
    log: { type: 'boolean', description: 'What would be dropped is counted instead.' },
  },
} as const;

/** The rules of a SecurityGroup on a host. id and owner: uid of the SecurityGroup. Shared. */
const ruleset = {
  spec: rulesetSpec,
  sharing: 'shared',
  requires: {
    'address-group': ({ ingress, egress = [] }) => [
      ...new Set([...ingress, ...egress].flatMap(({ groups = [] }) => groups)),
    ],
  },
  part: ({ spec }) => spec.name,
  label: (part) => `the rules of ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof rulesetSpec>>;

const addressesSpec = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'addresses'],
  properties: {
    name: { type: 'string', description: 'project/name of the SecurityGroup, for people.' },
    addresses: { type: 'array', items: address, description: 'Of all interfaces that it selects; sorted.' },
  },
} as const;

/** The addresses of the interfaces that a SecurityGroup selects. id and owner: uid of the SecurityGroup. Shared. */
const addressGroup = {
  spec: addressesSpec,
  sharing: 'shared',
  part: ({ spec }) => spec.name,
  label: (part) => `the addresses of ${part}`,
} as const satisfies ResourceDefinition<FromSchema<typeof addressesSpec>>;

export const securityGroup = defineKind({
  kind: 'SecurityGroup',
  plural: 'securitygroups',
  singular: 'securitygroup',
  shortNames: ['sg'],
  scope: 'Namespaced',
  description:
    'Which packets may reach the interfaces of instances, and leave them. Stateful: answers are let through. An interface that no group selects is open; of one that is selected all that comes in is dropped but what a rule of one of its groups allows. What goes out is allowed, unless one of its groups has egress rules. ARP, DHCP and questions to the DNS of its network always pass.',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['selector'],
    properties: {
      selector: {
        ...labelSelector,
        description:
          'Labels of the instances of the project whose interfaces it selects; an empty one selects all of them.',
      },
      interfaces: {
        type: 'array',
        maxItems: 8,
        'x-kubernetes-list-type': 'set',
        items: name,
        description: 'Names of interfaces that it selects of these instances; all, if absent.',
      },
      ingress: rules('What may come in; nothing, if absent.', 'sender'),
      egress: rules('What may go out; everything, if absent, and nothing, if empty.', 'receiver'),
      log: {
        type: 'boolean',
        default: false,
        description:
          'Tries the rules: what would be dropped, if nothing but groups with log selects the interface, is let through and counted.',
      },
      deletionProtection,
    },
  },
  status: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...commonStatus,
      interfaces: { type: 'integer', description: 'How many interfaces it selects.' },
    },
  },
  columns: [
    {
      name: 'Ingress',
      path: 'spec.ingress',
      type: 'integer',
      shown: 'count',
      description: 'How many rules there are for what comes in.',
    },
    {
      name: 'Interfaces',
      path: 'status.interfaces',
      type: 'integer',
      description: 'How many interfaces it selects.',
    },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether its rules are understood and told to hosts.',
    },
  ],
  immutable: [],
  references: [
    { path: 'ingress[].securityGroups[]', kind: 'SecurityGroup' },
    { path: 'egress[].securityGroups[]', kind: 'SecurityGroup' },
  ],
  disruption: { selector: 'live', interfaces: 'live', ingress: 'live', egress: 'live', log: 'live' },
  rules: securityGroupRules,
  resources: { 'port-filter': portFilter, ruleset, 'address-group': addressGroup },
});

export type SecurityGroup = ObjectOf<typeof securityGroup>;
