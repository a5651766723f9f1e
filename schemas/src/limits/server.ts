import { defaultsOf, type LimitDefinitions, type LimitsOf } from './define.ts';
import { requestLimitDefinitions } from './requests.ts';

/** The bounds of `plumb server`. One line per limit, each used where it is enforced. */
export const serverLimitDefinitions = {
  ...requestLimitDefinitions,
  joinBytes: {
    description: 'Size of a Join request of an agent.',
    above: 'The request is refused; the connection goes on.',
    default: 4096,
    minimum: 1024,
    maximum: 1 << 20,
  },
  attachBytes: {
    description: 'Size of the first frame of an agent that does not show its credential in the metadata of its call.',
    above: 'The stream ends.',
    default: 8192,
    minimum: 1024,
    maximum: 1 << 20,
  },
  unauthenticatedConnectionsPerAddress: {
    description: 'Open connections of one address on which nobody has shown a credential yet; loopback is exempt.',
    above: 'A further connection is closed at once.',
    default: 256,
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
  termAheadSeconds: {
    description:
      'How far in the future of the clock of this server a term may lie that a host says it has obeyed (a term holds the time at which a control plane started).',
    above: 'The Attach is refused, and the Host says so; the term of the server stays.',
    default: 86_400,
    minimum: 60,
    maximum: 1_000_000_000,
  },
  hostCpus: {
    description: 'CPUs that a host may claim to have when its Host declares no spec.capacity.',
    above: 'The Host says so and gets no new instances until spec.capacity says what it has.',
    default: 4096,
    minimum: 1,
    maximum: 1 << 20,
  },
  hostMemoryMiB: {
    description: 'Memory that a host may claim to have when its Host declares no spec.capacity.',
    above: 'The Host says so and gets no new instances until spec.capacity says what it has.',
    default: 1 << 26,
    minimum: 1024,
    maximum: 2 ** 40,
  },
  hostTextCharacters: {
    description: 'Length of each text that an agent says of itself (driver, version), and of the reason of a failure.',
    above: 'The text is cut; an ellipsis says so.',
    default: 64,
    minimum: 16,
    maximum: 4096,
  },
  hostMessageCharacters: {
    description: 'Length of a sentence of an agent: why a step failed, what differs on a host.',
    above: 'The sentence is cut; an ellipsis says so.',
    default: 1024,
    minimum: 64,
    maximum: 65_536,
  },
  hostTroubles: {
    description: 'Troubles that a host may report of itself at one time.',
    above: 'The first ones are kept.',
    default: 16,
    minimum: 1,
    maximum: 1024,
  },
} as const satisfies LimitDefinitions;

export type ServerLimits = LimitsOf<typeof serverLimitDefinitions>;

export const defaultServerLimits: ServerLimits = defaultsOf(serverLimitDefinitions);
