import type { FromSchema } from 'json-schema-to-ts';
import { mac, type ResourceDefinition } from './define.ts';
import { bootedFacts, domainChange } from './domain-change.ts';

const spec = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'cpus', 'memoryMiB', 'disks', 'ports', 'power'],
  properties: {
    name: { type: 'string', description: '`project.name`, unique on the host: what `virsh list` shows.' },
    cpus: { type: 'integer' },
    memoryMiB: { type: 'integer' },
    disks: { type: 'array', items: { type: 'string' }, description: 'ids of disks, the root disk first.' },
    seed: { type: 'string', description: 'id of the seed.' },
    ports: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'macAddress', 'mtuBytes'],
        properties: { id: { type: 'string' }, macAddress: mac, mtuBytes: { type: 'integer' } },
      },
    },
    power: { type: 'string', enum: ['Running', 'Stopped'] },
  },
} as const;

/**
 * What a driver saw of a domain. `shutdown`: the guest ended by itself; `crashed`, `panicked`, `destroyed`, `saved`: it was
 * ended, by its QEMU, its own kernel, somebody on the host, or somebody who kept its memory in a file.
 */
const observed = {
  type: 'object',
  additionalProperties: false,
  required: ['state', 'reason'],
  properties: {
    state: { type: 'string', enum: ['running', 'off'] },
    reason: {
      type: 'string',
      enum: ['booted', 'shutdown', 'crashed', 'panicked', 'destroyed', 'saved', 'unknown'],
    },
    maxCpus: {
      type: 'integer',
      minimum: 1,
      description:
        'How many processors it can have while it runs, where that is more than it has; it was decided when it was started.',
    },
    oldSeed: {
      type: 'boolean',
      enum: [true],
      description:
        'The guest was started with a seed that another has taken the place of since; it sees the new one at its next start.',
    },
    atRisk: {
      type: 'string',
      description:
        'Why nothing that starts or defines it may be done, and what a person can do: data that is nowhere else would be lost.',
    },
    edited: {
      type: 'string',
      description: 'What its QEMU has otherwise than is declared, and keeps until the guest is next started.',
    },
    paused: { type: 'string', description: 'Why QEMU holds the guest, which goes on by itself when that is over.' },
  },
} as const;

export type DomainSpec = FromSchema<typeof spec>;
export type DomainFacts = FromSchema<typeof observed>;

/** A virtual machine. id and owner: uid of the Instance. */
export const domain = {
  spec,
  observed,
  sharing: 'owned',
  requires: {
    disk: ({ disks }) => disks,
    seed: ({ seed }) => (seed === undefined ? [] : [seed]),
    port: ({ ports }) => ports.map(({ id }) => id),
  },
  asMade: ({ power, cpus }) => (power === 'Running' ? bootedFacts(cpus) : { state: 'off', reason: 'destroyed' }),
  unsettled: ({ power }, facts) => {
    const running = facts?.state === 'running';
    if (power === 'Running' && !running) return `domain ${offSentence(facts?.reason)}`;
    return power === 'Stopped' && running ? 'domain runs and is to be stopped' : undefined;
  },
  // Drift of a running domain may take a restart to repair: then one is told.
  changeCost: (before, after, { observed, drifted }) => {
    if (observed?.state !== 'running') return 'none';
    return drifted ? 'restart' : domainChange(before, after, observed);
  },
  label: () => 'the guest',
} as const satisfies ResourceDefinition<DomainSpec, DomainFacts>;

function offSentence(reason: DomainFacts['reason'] | undefined): string {
  switch (reason) {
    case 'crashed':
      return 'crashed';
    case 'panicked':
      return 'was ended by its own kernel (panic)';
    case 'saved':
      return 'was saved to a file and switched off on the host (virsh managedsave)';
    case 'destroyed':
      return 'was destroyed on the host';
    case 'shutdown':
      return 'was shut down by its guest';
    default:
      return 'does not run';
  }
}
