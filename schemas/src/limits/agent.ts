import { defaultsOf, type LimitDefinitions, type LimitsOf } from './define.ts';

/** The bounds of `plumb agent`. One line per limit, each used where it is enforced. */
export const agentLimitDefinitions = {
  imageFetchBaseSeconds: {
    description: 'Time that every download of an image may take, whatever its size.',
    above: 'The download ends; the Image says so and is not fetched again until something changes.',
    default: 60,
    minimum: 1,
    maximum: 86_400,
  },
  imageFetchMiBPerSecond: {
    description:
      'Pace that is asked of a download: each MiB that it announces, or else of spec.maxSizeMiB, adds 1/this second to its time.',
    above: 'The download ends; the Image says so and is not fetched again until something changes.',
    default: 1,
    minimum: 1,
    maximum: 1 << 20,
  },
  imageFetchLeastKiBPerSecond: {
    description:
      'Least average pace of a download, looked at after imageFetchBaseSeconds and again each time they have passed.',
    above: 'Below it, the download ends; the Image says so and is not fetched again until something changes.',
    default: 8,
    minimum: 0,
    maximum: 1 << 20,
  },
  imageFetchesAtOnce: {
    description: 'Images that are fetched at the same time.',
    above: 'The fetch waits for its turn.',
    default: 8,
    minimum: 1,
    maximum: 1024,
  },
  logLineCharacters: {
    description: 'Length of one line of the log.',
    above: 'The line is cut; an ellipsis says so.',
    default: 8192,
    minimum: 256,
    maximum: 1 << 20,
  },
} as const satisfies LimitDefinitions;

export type AgentLimits = LimitsOf<typeof agentLimitDefinitions>;

export const defaultAgentLimits: AgentLimits = defaultsOf(agentLimitDefinitions);
