/** What the server takes on at once, and from whom. See docs/decisions/0009-fair-admission.md. */
import { type Ambient, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Reply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { type Asked, BODY_BYTES_PER_SEAT, bodyDemand, LEVELS, type LevelName, levelOf } from './demand.ts';
import type { Path } from './fair-queue.ts';
import { Holdings } from './holdings.ts';
import { Level, type LevelLimits } from './level.ts';
import { Overloaded } from './overloaded.ts';
import { publishAdmission } from './publish.ts';

interface AdmissionLimits {
  levels: Record<LevelName, LevelLimits>;
  /** Watches that are open at the same time, of all clients. */
  watches: number;
}

/**
 * With the defaults, a burst of 10,000 writes of one client waits and is not turned away. 256 of them at once are enough to fill
 * the commits that they share, and few enough that a seat comes free soon.
 */
function admissionLimits(limits: ServerLimits): AdmissionLimits {
  const waitMs = limits.requestWaitSeconds * 1000;
  return {
    levels: {
      system: { seats: limits.systemRequests, queue: limits.systemRequestsWaiting, waitMs },
      reads: { seats: limits.readRequests, queue: limits.readRequestsWaiting, waitMs },
      lists: { seats: limits.listRequests, queue: limits.listRequestsWaiting, waitMs },
      writes: { seats: limits.writeRequests, queue: limits.writeRequestsWaiting, waitMs },
    },
    watches: limits.watches,
  };
}

/** An answer that is larger, or comes in parts, keeps its seats until it is sent: until then it takes memory. Bytes. */
const SENT_AT_ONCE = 64 * 1024;

export class Admission {
  readonly #levels: Record<LevelName, Level>;
  readonly #watches: Holdings;
  readonly #rejected = { watches: 0 };

  constructor(ambient: Ambient, bounds: ServerLimits, metrics?: Metrics) {
    const { clock, random } = ambient;
    const limits = admissionLimits(bounds);
    const levels = {} as Record<LevelName, Level>;
    const published = metrics && publishAdmission(metrics);
    for (const name of LEVELS) {
      const level = new Level({ limits: limits.levels[name], clock, random, waited: published?.waited(name) });
      levels[name] = level;
      published?.level(name, level);
    }
    this.#levels = levels;
    this.#watches = new Holdings(limits.watches);
    published?.watches(
      () => this.#watches.held,
      () => this.#rejected.watches,
    );
  }

  /**
   * Runs `work` when it is the turn of the request. Throws {@link Overloaded} when that does not come in time. The reply
   * may hold on to something until it is sent: who sends it tells it so.
   */
  run(request: ApiRequest, what: Asked, work: () => Promise<Reply>): Promise<Reply> {
    return what.verb === 'watch' ? this.#watch(request, what, work) : this.#answer(request, what, work);
  }

  async #answer(request: ApiRequest, what: Asked, work: () => Promise<Reply>): Promise<Reply> {
    const level = this.#levels[levelOf(what)];
    const demand = bodyDemand(request.contentLength);
    let { seats } = demand;
    if (!level.tryEnter(seats)) await level.wait({ ...demand, path: pathOf(request) }, request.signal);
    // A body whose length was not declared takes its seats as it comes.
    let covered = seats * BODY_BYTES_PER_SEAT;
    request.onBodyBytes = (bytes) => {
      while (bytes > covered) {
        level.more();
        seats++;
        covered += BODY_BYTES_PER_SEAT;
      }
    };
    let held = true;
    try {
      const reply = await work();
      const whole = typeof reply.body === 'string' || Buffer.isBuffer(reply.body);
      if (whole && (reply.body as string).length <= SENT_AT_ONCE) return reply;
      held = false;
      return { ...reply, done: () => level.leave(seats) };
    } finally {
      if (held) level.leave(seats);
    }
  }

  /** A watch is held from beginning to end, and has a seat until it has shown what is there. */
  async #watch(request: ApiRequest, what: Asked, work: () => Promise<Reply>): Promise<Reply> {
    const path = pathOf(request);
    const give = this.#watches.take(path);
    if (!give) {
      this.#rejected.watches++;
      throw new Overloaded('this client has as many watches open as the server can give it: end some', 5);
    }
    const level = this.#levels[levelOf(what)];
    try {
      if (!level.tryEnter(1)) await level.wait({ path, seats: 1, room: 1 }, request.signal);
    } catch (error) {
      give();
      throw error;
    }
    let seated = true;
    const stand = () => {
      if (seated) level.leave(1);
      seated = false;
    };
    const done = () => {
      stand();
      give();
    };
    try {
      return { ...(await work()), started: stand, done };
    } catch (error) {
      done();
      throw error;
    }
  }
}

/** Whose work it is, from the outside in. */
function pathOf({ user, source, headers }: ApiRequest): Path {
  if (!user) throw terminal('Unauthorized', 'nobody is asked for before it is known who asks');
  return [user.name, source.address, headers['user-agent'] ?? '', source];
}
