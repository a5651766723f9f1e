import type { FromSchema } from 'json-schema-to-ts';
import { mac, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['instanceId', 'hostname', 'sshKeys'],
  properties: {
    instanceId: { type: 'string' },
    hostname: { type: 'string' },
    userData: { type: 'string', 'x-plumb-sensitive': true },
    sshKeys: { type: 'array', items: { type: 'string' } },
    interfaces: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'macAddress'],
        properties: { name: { type: 'string' }, macAddress: mac },
      },
      description:
        'Present when there are several: what the guest configures by itself is the first. In the order of declaration.',
    },
  },
} as const;

/** A NoCloud seed. id: `<instance uid>.seed`. `instanceId` is another for every other userData and sshKeys. */
export const seed = {
  spec,
  sharing: 'owned',
  label: () => 'the seed',
} as const satisfies ResourceDefinition<FromSchema<typeof spec>>;
