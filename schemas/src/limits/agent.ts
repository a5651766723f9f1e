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
    description: 'Least pace of a download: each MiB of spec.maxSizeMiB adds one share of a second to its time.',
    above: 'The download ends; the Image says so and is not fetched again until something changes.',
    default: 1,
    minimum: 1,
    maximum: 1 << 20,
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
