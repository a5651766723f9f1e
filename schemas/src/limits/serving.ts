import type { LimitDefinitions } from './define.ts';

/** What a level of requests is, in the words of docs/how-to/overload.md. */
const LEVELS = {
  system: { what: 'for discovery, objects of the estate and flows', atWork: 64, waiting: 1_024 },
  read: { what: 'for one object of a project', atWork: 128, waiting: 4_096 },
  list: { what: 'for lists, and for beginnings of watches', atWork: 64, waiting: 1_024 },
  write: { what: 'that change something in a project', atWork: 256, waiting: 10_240 },
} as const;

const atWork = ({ what, atWork }: (typeof LEVELS)[keyof typeof LEVELS]) => ({
  description: `Requests ${what} that are at work at the same time; one with a body counts once more for each 64 KiB.`,
  above: 'They wait for their turn; clients take turns.',
  default: atWork,
  minimum: 1,
  maximum: 65_536,
});

const waiting = ({ what, waiting }: (typeof LEVELS)[keyof typeof LEVELS]) => ({
  description: `Requests ${what} that wait for their turn; one with a body counts up to nine times.`,
  above: 'Of who has most waiting, the newest is answered with 429.',
  default: waiting,
  minimum: 16,
  maximum: 1 << 20,
});

/** The bounds on what the API does at the same time, keeps for its clients, and waits for. */
export const servingLimitDefinitions = {
  systemRequests: atWork(LEVELS.system),
  systemRequestsWaiting: waiting(LEVELS.system),
  readRequests: atWork(LEVELS.read),
  readRequestsWaiting: waiting(LEVELS.read),
  listRequests: atWork(LEVELS.list),
  listRequestsWaiting: waiting(LEVELS.list),
  writeRequests: atWork(LEVELS.write),
  writeRequestsWaiting: waiting(LEVELS.write),
  requestWaitSeconds: {
    description: 'Time for which a request waits for its turn; clients of Plumb expect an answer within 30 seconds.',
    above: 'The request is answered with 429; nothing was done.',
    default: 20,
    minimum: 1,
    maximum: 600,
  },
  bodySeconds: {
    description: 'Time within which the body of a request is here.',
    above: 'The request ends without an answer.',
    default: 30,
    minimum: 1,
    maximum: 3_600,
  },
  unsentSeconds: {
    description: 'Time for which a client takes nothing of an answer.',
    above: 'The answer ends; of HTTP/1.1 the connection, too.',
    default: 30,
    minimum: 1,
    maximum: 3_600,
  },
  unsentBytesPerConnection: {
    description: 'Answers that a client leaves lying on one connection.',
    above: 'The connection is closed.',
    default: 8 << 20,
    minimum: 1 << 20,
    maximum: 1 << 30,
  },
  unsentBytes: {
    description: 'Answers that all clients leave lying together.',
    above: 'The connection that leaves most is closed.',
    default: 128 << 20,
    minimum: 8 << 20,
    maximum: 2 ** 36,
  },
  watches: {
    description: 'Watches that are open at the same time, of all clients; one user has a half of them at most.',
    above: 'A further one is answered with 429.',
    default: 8_000,
    minimum: 16,
    maximum: 1 << 20,
  },
  watchSeconds: {
    description: 'Time for which a watch is open at least whose client did not say for how long; at most twice that.',
    above: 'The watch ends; clients go on from the last revision that they saw.',
    default: 1_800,
    minimum: 10,
    maximum: 86_400,
  },
  watchCommitsBehind: {
    description: 'Commits that a watch may be behind.',
    above: 'The watch ends; its client goes on from the last revision that it saw.',
    default: 10_000,
    minimum: 100,
    maximum: 1 << 20,
  },
  historyRevisions: {
    description: 'Revisions of the store that can still be read, for watches that go on and pages of lists.',
    above: 'Older ones are forgotten; who asks for them is told to list again (410).',
    default: 100_000,
    minimum: 2_000,
    maximum: 10_000_000,
  },
  historySeconds: {
    description: 'Age of revisions of the store that can still be read; the last 1,000 always can.',
    above: 'Older ones are forgotten; who asks for them is told to list again (410).',
    default: 600,
    minimum: 60,
    maximum: 86_400,
  },
  eventsKept: {
    description: 'Different events that are kept, in memory.',
    above: 'The oldest go.',
    default: 10_000,
    minimum: 100,
    maximum: 1 << 20,
  },
  postedEventBytes: {
    description: 'Memory for events that clients post.',
    above: 'The namespace that has most of it gives up its oldest.',
    default: 1 << 25,
    minimum: 1 << 16,
    maximum: 1 << 30,
  },
  eventSeconds: {
    description: 'Time for which an event is kept after it last happened.',
    above: 'It is forgotten.',
    default: 86_400,
    minimum: 60,
    maximum: 31_536_000,
  },
  poisonedShown: {
    description: 'Objects and records that one list of what cannot be understood names.',
    above: 'The further ones are counted.',
    default: 10_000,
    minimum: 100,
    maximum: 1 << 20,
  },
  driftShown: {
    description: 'Instances that the answer to plumb drift names.',
    above: 'The further ones are counted.',
    default: 100,
    minimum: 1,
    maximum: 100_000,
  },
  plannedObjects: {
    description: 'Objects of one PlanReview.',
    above: 'The plan is refused with 422: plan them in parts.',
    default: 2_000,
    minimum: 1,
    maximum: 100_000,
  },
  plannedInstances: {
    description: 'Instances of an edited offering for which a plan says what would happen to them.',
    above: 'The plan says how many there are, and of how many it speaks.',
    default: 200,
    minimum: 1,
    maximum: 100_000,
  },
  authorityOverlapSeconds: {
    description: 'Time for which an authority that is replaced may be trusted beside the one that follows.',
    above: 'The authority is not replaced; the request is refused with 422.',
    default: 366 * 86_400,
    minimum: 3_600,
    maximum: 3_660 * 86_400,
  },
  accountTokenSeconds: {
    description: 'Time for which a token of a ServiceAccount may be valid.',
    above: 'No token is made; the request is refused with 422.',
    default: 366 * 86_400,
    minimum: 3_600,
    maximum: 3_660 * 86_400,
  },
  handshakeGraceSeconds: {
    description: 'Time that a connection has from the beginning of its TLS handshake before it makes room for another.',
    above: 'The connection is closed when all of unauthenticatedHandshakes are taken.',
    default: 3,
    minimum: 1,
    maximum: 60,
  },
  pacedAddresses: {
    description: 'Addresses whose handshakes are paced each by itself.',
    above: 'Further ones share one pace.',
    default: 16_384,
    minimum: 16,
    maximum: 1 << 20,
  },
} as const satisfies LimitDefinitions;
