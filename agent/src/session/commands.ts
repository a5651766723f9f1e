import type { Clock, PlumbError } from '@plumb/schemas';
import { PlumbError as Failure, resourceKey, retryable, terminal } from '@plumb/schemas';
import type { AgentLimits } from '@plumb/schemas/limits/agent.ts';
import { scrub } from '@plumb/schemas/project/scrub.ts';
import type {
  Command,
  CommandProgress,
  CommandResult,
  Refused,
  StepResult,
  WireStep,
} from '@plumb/schemas/wire/messages.ts';
import { VERB } from '@plumb/schemas/wire/messages.ts';
import { resourceFromWire, resourceIdentityFromWire, secretsOfWire } from '@plumb/schemas/wire/resource-codec.ts';
import type { Attention, Driver } from '../drivers/driver.ts';
import type { Identity } from '../identity/identity.ts';
import { Turns } from '../turns.ts';
import type { Fences } from './fences.ts';
import { termProblem } from './terms.ts';

export type CommandLimits = Pick<AgentLimits, 'commandsPerHost' | 'commandMiBPerHost' | 'termAheadSeconds'>;

export interface CommandsOptions {
  driver: Driver;
  identity: Identity;
  fences: Fences;
  limits: CommandLimits;
  /** Called with what became of a command, after the driver has told every change that it caused. */
  report(result: CommandResult): void;
  /** Called now and then while a command waits for bytes. */
  progress(progress: CommandProgress): void;
  clock: Clock;
}

/** A command that has not ended. */
interface Running {
  command: Command;
  /** Ends what may take long in it. */
  abort: AbortController;
}

/** Bytes come all the time; a person looks now and then. */
const PROGRESS_EVERY_MS = 1_000;

/**
 * Carries out commands on one host: those of one owner in order, those of different owners at the same time. A command
 * that was begun goes on when the stream is lost. What may take long in it, the fetch of an image, ends when the control plane
 * says that nobody waits for it, or commands something else of the same owner, which would wait behind it.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #turns = new Turns();
  readonly #running = new Map<string, Running>();
  /** Of the declarations in them. */
  #bytes = 0;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Ids of commands that have not ended. */
  get running(): string[] {
    return [...this.#running.keys()];
  }

  /** Begins the command, or refuses it whole. `session`: the one that is open now. */
  accept(command: Command, session: string | undefined): void {
    const refused = this.#refusal(command, session);
    if (refused) {
      this.#options.report({ command: command.id, steps: [], refused });
      return;
    }
    // The term must be on the disk before anything is done under it.
    const known = this.#options.identity.raiseTerm(command.term);
    for (const earlier of this.#running.values())
      if (earlier.command.owner === command.owner && !fetchesTheSame(earlier.command, command)) earlier.abort.abort();
    const running = { command, abort: new AbortController() };
    this.#running.set(command.id, running);
    const bytes = bytesOf(command);
    this.#bytes += bytes;
    known.catch(() => {});
    void this.#turns.take(command.owner, async () => {
      const result = await this.#carryOut(running, known);
      this.#running.delete(command.id);
      this.#bytes -= bytes;
      this.#options.report(result);
    });
  }

  /**
   * Nobody waits for the command any more. It ends as soon as it may, with a result, and so do those of the same owner before
   * it: what an earlier control plane began, this one waited for.
   */
  cancel(id: string): void {
    const cancelled = this.#running.get(id);
    if (cancelled === undefined) return;
    for (const running of this.#running.values()) {
      if (running.command.owner === cancelled.command.owner) running.abort.abort();
      if (running === cancelled) return;
    }
  }

  /** Resolves when every command that was begun has ended. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }

  #refusal(command: Command, session: string | undefined): Refused | undefined {
    const { id, owner, session: asked, term, fence } = command;
    const { identity, fences, limits, clock } = this.#options;
    const host = identity.host;
    // guard: late command from an old control plane
    if (term < identity.highestTerm)
      return refuse('LowerTerm', `${host} obeys term ${identity.highestTerm}, and the command is of term ${term}`);
    if (this.#running.has(id)) return refuse('TwoCommands', `${host} has a command of that id under way already`);
    const { size } = this.#running;
    if (size >= limits.commandsPerHost)
      return refuse('TooManyCommands', `${host} has ${size} commands under way already (commandsPerHost)`);
    if (size > 0 && this.#bytes + bytesOf(command) > limits.commandMiBPerHost << 20)
      return refuse('TooManyCommands', `${host} has ${size} large commands under way already (commandMiBPerHost)`);
    // guard: late command from an old control plane
    // guard: late command from an old control plane
    if (session === undefined || asked !== session)
      return refuse('ClosedSession', `the command is of a session of ${host} that has ended`);
    const problem = termProblem(term, clock, limits);
    if (problem) return refuse(problem.reason, problem.message);
    // guard: late command from an old control plane
    if (!fences.admit(owner, term, fence))
      return refuse('LowerFence', `${host} has heard of a later turn of the flow of ${owner} than ${fence}`);
    return undefined;
  }

  async #carryOut(running: Running, termKnown: Promise<void>): Promise<CommandResult> {
    const { identity } = this.#options;
    const { command } = running;
    const attention = this.#attention(running);
    const result: CommandResult = { command: command.id, steps: [], refused: null };
    try {
      await termKnown;
    } catch (error) {
      const why = (error as Error).message;
      return { ...result, refused: refuse('TermNotKept', `${identity.host} cannot write its state: ${why}`) };
    }
    for (const step of command.steps) {
      const notes: string[] = [];
      const failure = await this.#try(step, command, { ...attention, onNote: (note) => notes.push(note) });
      result.steps.push(discreet(step, stepResult(step.id, failure, notes)));
      if (failure) break;
    }
    return result;
  }

  #attention({ command, abort }: Running): Attention {
    const { clock, progress } = this.#options;
    let nextAt = clock.now();
    return {
      signal: abort.signal,
      onProgress: ({ bytes, ofBytes = 0 }) => {
        const now = clock.now();
        if (now < nextAt && now >= nextAt - PROGRESS_EVERY_MS) return;
        nextAt = now + PROGRESS_EVERY_MS;
        progress({ command: command.id, bytes, ofBytes });
      },
    };
  }

  async #try(step: WireStep, { owner, term, fence }: Command, attention: Attention): Promise<PlumbError | undefined> {
    const { driver, fences } = this.#options;
    try {
      if (!fences.isCurrent(owner, term, fence))
        throw retryable('Superseded', `a later turn of the flow of ${owner} came before this step was begun`);
      if (step.verb === VERB.ensure) await driver.ensure(resourceFromWire(step.resource), attention);
      else if (step.verb === VERB.remove) await driver.remove(resourceIdentityFromWire(step.resource), attention);
      else {
        const key = resourceKey(resourceIdentityFromWire(step.resource));
        throw terminal('UnsupportedStep', `${key}: verb ${step.verb} is not known to this agent`);
      }
      return undefined;
    } catch (error) {
      return Failure.from(error, `step ${step.id}`);
    }
  }
}

/** Whether the later command waits for a fetch of the earlier one, so that to end it would only make it begin again. */
function fetchesTheSame(earlier: Command, later: Command): boolean {
  const images = ({ steps }: Command) =>
    steps.flatMap(({ verb, resource }) => (verb === VERB.ensure && resource?.kind === 'image' ? [resource] : []));
  const wanted = images(later);
  return images(earlier).some(({ id, spec }) =>
    wanted.some((resource) => resource.id === id && resource.spec === spec),
  );
}

function stepResult(step: string, failure: PlumbError | undefined, notes: readonly string[]): StepResult {
  if (failure === undefined) return { step, ok: true, reason: '', message: notes.join('; '), terminal: false };
  const { reason, message, retry } = failure;
  return { step, ok: false, reason, message, terminal: retry === 'terminal' };
}

/** Drivers pass on what programs and libraries say, which may repeat what they were given. */
function discreet({ resource }: WireStep, result: StepResult): StepResult {
  return result.message === '' ? result : { ...result, message: scrub(result.message, secretsOfWire(resource)) };
}

function refuse(reason: string, message: string): Refused {
  return { reason, message, terminal: false };
}

function bytesOf({ steps }: Command): number {
  return steps.reduce((bytes, { resource }) => bytes + STEP_BYTES + (resource?.spec.length ?? 0), 0);
}

/** What a step takes besides. */
const STEP_BYTES = 512;
