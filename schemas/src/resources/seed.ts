import type { FromSchema } from 'json-schema-to-ts';
import { mac, type ResourceDefinition } from './define.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['instanceId', 'hostname', 'sshKeys'],
  properties: {
    // By its content, of which user data is a part: who has it could try what that is.
    instanceId: { type: 'string', 'x-plumb-sensitive': true },
    hostname: { type: 'string' },
    userData: { type: 'string', 'x-plumb-sensitive': true },
    userDataFrom: {
      type: 'object',
      additionalProperties: false,
      required: ['secret', 'key', 'hash'],
      properties: {
        secret: { type: 'string', description: 'project/name of the Secret.' },
        key: { type: 'string' },
        hash: { type: 'string', description: 'Keyed hash of the text: it is another for every other text.' },
      },
      description:
        'Where the text is. It is in userData while a host is commanded to make the seed, and kept by nobody.',
    },
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

type Seed = FromSchema<typeof spec>;

/**
 * What is remembered of a seed: of one whose text is in a Secret without that text, so that nobody who lists what lives, keeps
 * records or compares has it.
 */
export function rememberedSeed<R extends { kind: string; spec: unknown }>(resource: R): R {
  if (resource.kind !== 'seed') return resource;
  const { userData: _, ...kept } = resource.spec as Seed;
  return kept.userDataFrom === undefined ? resource : { ...resource, spec: kept };
}

/** A NoCloud seed. id: `<instance uid>.seed`. `instanceId` is another for every other userData and sshKeys. */
export const seed = {
  spec,
  sharing: 'owned',
  label: () => 'the seed',
} as const satisfies ResourceDefinition<Seed>;
