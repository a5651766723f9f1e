import type { FieldError } from '../meta/error.ts';
import { commonStatus, deletionProtection, labels } from '../meta/schema.ts';
import type { ObjectOf } from './define.ts';
import { defineKind } from './define.ts';

export const l2Network = defineKind({
  kind: 'L2Network',
  plural: 'l2networks',
  singular: 'l2network',
  shortNames: ['l2'],
  scope: 'Cluster',
  description:
    'An Ethernet segment that spans hosts: a bridge on a physical interface (flat), or an overlay of tunnels (vxlan).',
  spec: {
    type: 'object',
    additionalProperties: false,
    required: ['zone', 'type'],
    properties: {
      zone: { type: 'string', description: 'Name of the Zone whose hosts carry the network.' },
      type: {
        type: 'string',
        enum: ['flat', 'vxlan'],
        description:
          'flat: a bridge on physicalInterface. vxlan: tunnels between the hosts (RFC 7348), told apart by vni.',
      },
      vni: {
        type: 'integer',
        minimum: 1,
        maximum: 16777215,
        description: 'VXLAN network identifier; required for vxlan.',
      },
      physicalInterface: {
        type: 'string',
        pattern: '^[A-Za-z0-9_.-]{1,15}$',
        description: 'Network interface of the hosts that the bridge is put on; required for flat.',
      },
      mtuBytes: {
        type: 'integer',
        minimum: 576,
        maximum: 9216,
        description: 'Largest packet that instances send. Default: 1500 on flat, 1450 on vxlan.',
      },
      hostSelector: {
        type: 'object',
        additionalProperties: false,
        description: 'Which hosts of the zone carry the network; all, if absent.',
        properties: { matchLabels: { ...labels, description: 'Labels that a host must have.' } },
      },
      deletionProtection,
    },
  },
  status: { type: 'object', additionalProperties: false, properties: { ...commonStatus } },
  columns: [
    { name: 'Zone', path: 'spec.zone', type: 'string', description: 'The zone of the network.' },
    { name: 'Type', path: 'spec.type', type: 'string', description: 'flat or vxlan.' },
    { name: 'VNI', path: 'spec.vni', type: 'integer', description: 'VXLAN network identifier.' },
    {
      name: 'Ready',
      path: 'status.conditions[Ready].status',
      type: 'string',
      description: 'Whether the network can be used.',
    },
  ],
  immutable: ['zone', 'type', 'vni', 'physicalInterface', 'mtuBytes'],
  references: [{ path: 'zone', kind: 'Zone' }],
  disruption: {},
  rules: l2Rules,
});

export type L2Network = ObjectOf<typeof l2Network>;

interface RuledFields {
  type: string;
  vni?: number;
  physicalInterface?: string;
}

function l2Rules(spec: RuledFields): FieldError[] {
  const errors: FieldError[] = [];
  const needs = (field: 'vni' | 'physicalInterface', type: string) => {
    if (spec.type === type && spec[field] === undefined)
      errors.push({ field: `spec.${field}`, message: `is required when type is ${type}` });
    if (spec.type !== type && spec[field] !== undefined)
      errors.push({
        field: `spec.${field}`,
        message: `is only for type ${type}, and type is ${spec.type}: leave it out`,
      });
  };
  needs('vni', 'vxlan');
  needs('physicalInterface', 'flat');
  return errors;
}
