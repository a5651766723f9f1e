import type { PlumbError } from '@plumb/schemas';
import { PlumbError as Failure, retryable, terminal, thingKey } from '@plumb/schemas';
import type { Command, CommandResult, Refused, StepResult, WireStep } from '@plumb/schemas/wire/messages.ts';
import { VERB } from '@plumb/schemas/wire/messages.ts';
import { thingFromWire, thingIdentityFromWire } from '@plumb/schemas/wire/thing-codec.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Identity } from '../identity/identity.ts';
import { Turns } from '../turns.ts';
import type { Fences } from './fences.ts';

export interface CommandsOptions {
  driver: Driver;
  identity: Identity;
  fences: Fences;
  /** Commands that run or wait at most. */
  most: number;
  /** Called with what became of a command, after the driver has told every change that it caused. */
  report(result: CommandResult): void;
}

/**
 * Carries out commands on one host: those of one owner in order, those of different owners at the same time. A command
 * that was begun goes on when the stream is lost.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #turns = new Turns();
  readonly #running = new Set<string>();

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Ids of commands that have not ended. */
  get running(): string[] {
    return [...this.#running];
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
    this.#running.add(command.id);
    known.catch(() => {});
    void this.#turns.take(command.owner, async () => {
      const result = await this.#carryOut(command, known);
      this.#running.delete(command.id);
      this.#options.report(result);
    });
  }

  /** Resolves when every command that was begun has ended. */
  idle(): Promise<void> {
    return this.#turns.idle();
  }

  #refusal({ owner, session: asked, term, fence }: Command, session: string | undefined): Refused | undefined {
    const { identity, fences } = this.#options;
    const host = identity.host;
    // guard: late command from an old control plane
    if (term < identity.highestTerm)
      return refuse('LowerTerm', `${host} obeys term ${identity.highestTerm}, and the command is of term ${term}`);
    if (this.#running.size >= this.#options.most)
      return refuse('TooManyCommands', `${host} has ${this.#running.size} commands under way already`);
    // guard: late command from an old control plane
    // guard: late command from an old control plane
    if (asked !== session) return refuse('ClosedSession', `the command is of a session of ${host} that has ended`);
    // guard: late command from an old control plane
    if (!fences.admit(owner, term, fence))
      return refuse('LowerFence', `${host} has heard of a later turn of the flow of ${owner} than ${fence}`);
    return undefined;
  }

  async #carryOut(command: Command, termKnown: Promise<void>): Promise<CommandResult> {
    const { identity } = this.#options;
    const result: CommandResult = { command: command.id, steps: [], refused: null };
    try {
      await termKnown;
    } catch (error) {
      const why = (error as Error).message;
      return { ...result, refused: refuse('TermNotKept', `${identity.host} cannot write its state: ${why}`) };
    }
    for (const step of command.steps) {
      const failure = await this.#try(step, command);
      result.steps.push(stepResult(step.id, failure));
      if (failure) break;
    }
    return result;
  }

  async #try(step: WireStep, { owner, term, fence }: Command): Promise<PlumbError | undefined> {
    const { driver, fences } = this.#options;
    try {
      if (!fences.isCurrent(owner, term, fence))
        throw retryable('Superseded', `a later turn of the flow of ${owner} came before this step was begun`);
      if (step.verb === VERB.ensure) await driver.ensure(thingFromWire(step.thing));
      else if (step.verb === VERB.remove) await driver.remove(thingIdentityFromWire(step.thing));
      else {
        const key = thingKey(thingIdentityFromWire(step.thing));
        throw terminal('UnsupportedStep', `${key}: verb ${step.verb} is not known to this agent`);
      }
      return undefined;
    } catch (error) {
      return Failure.from(error, `step ${step.id}`);
    }
  }
}

function stepResult(step: string, failure: PlumbError | undefined): StepResult {
  if (failure === undefined) return { step, ok: true, reason: '', message: '', terminal: false };
  const { reason, message, retry } = failure;
  return { step, ok: false, reason, message, terminal: retry === 'terminal' };
}

function refuse(reason: string, message: string): Refused {
  return { reason, message, terminal: false };
}
