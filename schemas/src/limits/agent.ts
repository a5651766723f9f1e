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
  frameBytes: {
    description: 'Size of a frame of the server.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 16 << 20,
    minimum: 1 << 20,
    maximum: 64 << 20,
  },
  messagesPerFrame: {
    description: 'Messages in one frame of the server.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 8192,
    minimum: 4096,
    maximum: 1 << 20,
  },
  stepsPerCommand: {
    description: 'Steps of one command.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 1024,
    minimum: 256,
    maximum: 1 << 16,
  },
  resourceBytes: {
    description: 'Size of the declaration of one resource in a command.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 1 << 20,
    minimum: 1 << 18,
    maximum: 16 << 20,
  },
  nameBytes: {
    description: 'Size of a name, id or kind in a message of the server.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 1024,
    minimum: 256,
    maximum: 1 << 16,
  },
  serverTextBytes: {
    description: 'Size of a sentence in a message of the server.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 16 << 10,
    minimum: 4 << 10,
    maximum: 1 << 20,
  },
  answerSeconds: {
    description: 'Time within which the server says anything of the hosts that a stream is for.',
    above: 'The agent ends the stream, says so in its log, and connects anew.',
    default: 300,
    minimum: 10,
    maximum: 86_400,
  },
  retryAfterSeconds: {
    description: 'Time for which the server may tell a host not to ask again.',
    above: 'The host asks again after this time.',
    default: 3600,
    minimum: 60,
    maximum: 86_400,
  },
  termAheadSeconds: {
    description:
      "How far in the future of this host's clock the term of a server may lie (a term holds the time at which a control plane started).",
    above: 'The host does not obey it, and its log says so; it asks again later.',
    default: 31_536_000,
    minimum: 60,
    maximum: 1_000_000_000,
  },
  surveysPerMinute: {
    description: 'How often everything on a host is looked at for the server, which may let it in again and again.',
    above: 'The host is looked at when a minute has passed since the oldest of them.',
    default: 60,
    minimum: 10,
    maximum: 100_000,
  },
  commandMiBPerHost: {
    description: 'Declarations in the commands of one host that run or wait.',
    above: 'A further command is refused; the server sends it again later.',
    default: 64,
    minimum: 16,
    maximum: 1 << 20,
  },
  commandsPerHost: {
    description: 'Commands of one host that run or wait.',
    above: 'A further command is refused; the server sends it again later.',
    default: 4096,
    minimum: 64,
    maximum: 1 << 20,
  },
  changesHeld: {
    description: 'Changes on a host that are kept while everything on it is looked at.',
    above: 'They are dropped, and the host is looked at once more.',
    default: 16_384,
    minimum: 256,
    maximum: 1 << 20,
  },
  outboxBytes: {
    description: 'What waits to be sent, because the server does not take it.',
    above: 'The agent ends the stream and connects anew; what lives on its hosts is told then.',
    default: 64 << 20,
    minimum: 8 << 20,
    maximum: 1 << 30,
  },
  logLineCharacters: {
    description: 'Length of one line of the log.',
    above: 'The line is cut; an ellipsis says so.',
    default: 8192,
    minimum: 256,
    maximum: 1 << 20,
  },
  leastFreeMiB: {
    description:
      "Space that is to stay free where an agent's data folder is; a twentieth of it, where that is less. Below it the disk counts as full.",
    above:
      'The Host says so and gets no new instances; guests that a full disk holds are not let go until there is more.',
    default: 64,
    minimum: 1,
    maximum: 1 << 24,
  },
} as const satisfies LimitDefinitions;

export type AgentLimits = LimitsOf<typeof agentLimitDefinitions>;

export const defaultAgentLimits: AgentLimits = defaultsOf(agentLimitDefinitions);
