import type { LimitDefinitions } from './define.ts';

/** Bounds of `plumb server` on the states that it keeps for Terraform's http backend. */
export const stateLimitDefinitions = {
  stateBytes: {
    description: 'Size of a state that Terraform writes.',
    above: 'It is not taken; the state stays as it is, and Terraform keeps what it wanted to write in errored.tfstate.',
    default: 32 << 20,
    minimum: 1 << 16,
    maximum: 256 << 20,
  },
  stateVersions: {
    description: 'Versions of a state that are kept, the newest among them.',
    above: 'The oldest goes.',
    default: 30,
    minimum: 2,
    maximum: 200,
  },
  stateKeptBytes: {
    description: 'Bytes of all versions of one state, compressed as they are stored.',
    above: 'The oldest go; the newest stays.',
    default: 128 << 20,
    minimum: 1 << 20,
    maximum: 2 ** 40,
  },
  statesPerProject: {
    description:
      'Names of states of Terraform in one project that were ever used: those of deleted ones are remembered.',
    above: 'The first use of a further one is refused.',
    default: 1024,
    minimum: 1,
    maximum: 1 << 20,
  },
  stateDepth: {
    description: 'Objects and lists in each other in a state.',
    above: 'It is not taken.',
    default: 256,
    minimum: 32,
    maximum: 1000,
  },
  stateLockBytes: {
    description: 'Size of what Terraform says of a lock.',
    above: 'The lock is not given.',
    default: 8192,
    minimum: 1024,
    maximum: 1 << 20,
  },
} as const satisfies LimitDefinitions;
