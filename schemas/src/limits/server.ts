import { defaultsOf, type LimitDefinitions, type LimitsOf } from './define.ts';

/** The bounds of `plumb server`. One line per limit, each used where it is enforced. */
export const serverLimitDefinitions = {
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
} as const satisfies LimitDefinitions;

export type ServerLimits = LimitsOf<typeof serverLimitDefinitions>;

export const defaultServerLimits: ServerLimits = defaultsOf(serverLimitDefinitions);
