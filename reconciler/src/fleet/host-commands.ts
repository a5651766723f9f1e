/** Commands on their way to hosts: each is answered, given up when its time is over, or lost with its session. */
import { type Ambient, type HostResource, PlumbError, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { type CommandProgress, type CommandResult, VERB } from '@plumb/schemas/wire/messages.ts';
import { identityToWire, resourceToWire, secretsOf } from '@plumb/schemas/wire/resource-codec.ts';
import { discreet, discreetError } from './discreet.ts';
import type { CommandAttention, FleetCommand, StepOutcome } from './fleet.ts';
import type { LiveState } from './live-state.ts';
import { PendingCommands } from './pending-commands.ts';
import type { Session } from './sessions.ts';
import type { Silences } from './silences.ts';

export interface HostCommandsOptions {
  ambient: Ambient;
  limits: ServerLimits;
  /** Is told which hosts do not answer. */
  silences: Silences;
  live: LiveState;
  /** See FleetServerOptions. */
  join: <R extends HostResource>(resource: R) => R;
}

export class HostCommands {
  readonly #options: HostCommandsOptions;
  readonly #pending: PendingCommands;

  constructor(options: HostCommandsOptions) {
    this.#options = options;
    this.#pending = new PendingCommands(options.limits);
  }

  /** How many are not answered. */
  get size(): number {
    return this.#pending.size;
  }

  /** `session`: that of the host, if it has one; `term`: the one under which it is commanded. */
  send(
    host: string,
    session: Session | undefined,
    term: number,
    planned: FleetCommand,
    attention: CommandAttention,
  ): Promise<StepOutcome[]> {
    let command: FleetCommand;
    try {
      command = this.#joined(planned);
    } catch (error) {
      return Promise.reject(PlumbError.from(error, `host ${host}`));
    }
    if (!session?.host.connected)
      return Promise.reject(retryable('HostNotConnected', `host ${host} is not connected: start its agent`));
    const unknown = command.steps.find(({ resource }) => !session.stream.types.includes(resource.kind));
    if (unknown)
      return Promise.reject(
        retryable(
          'UnsupportedResource',
          `the agent of host ${host} does not handle resources of type ${unknown.resource.kind}: update it`,
        ),
      );
    const { ambient, limits, silences } = this.#options;
    const { ids, clock } = ambient;
    const id = ids.uid();
    const said = this.#pending.wait(
      host,
      id,
      command.steps.map((step) => step.id),
      attention.onProgress,
    );
    const given = () => this.#givenTo(host, command);
    const answer = said.then(
      (outcomes) => discreet(outcomes, given),
      (error) => {
        throw discreetError(PlumbError.from(error, `host ${host}`), given);
      },
    );
    const ms = timeFor(command, limits);
    const makes = command.steps.some(({ verb }) => verb === 'ensure');
    const stop = clock.after(ms, () => {
      const error = retryable('HostNotAnswering', `host ${host} did not answer a command within ${ms / 1000} s`);
      if (this.#pending.expire(host, id, error) && makes) silences.note(host, ms);
    });
    session.stream.push({
      host,
      body: 'command',
      command: {
        id,
        owner: command.owner,
        session: session.id,
        term,
        fence: command.fence,
        steps: command.steps.map(({ id, verb, resource }) => ({
          id,
          verb: VERB[verb],
          // What a resource is says which is to go; what is in it, user data among it, is nobody's business then.
          resource: verb === 'remove' ? identityToWire(resource) : resourceToWire(resource),
        })),
      },
    });
    const fetches = command.steps.some(({ resource }) => resource.kind === 'image');
    const answered = makes && !fetches ? silences.begin(host) : () => {};
    const end = (outcomes: readonly StepOutcome[] = []) => {
      stop();
      answered();
      if (makes && outcomes.length > 0 && outcomes.every(({ error }) => !error)) silences.credit(host);
    };
    answer.then(end, () => end());
    const { signal } = attention;
    if (signal === undefined) return answer;
    const cancel = () => session.stream.push({ host, body: 'cancel', cancel: { command: id } });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    return answer.finally(() => signal.removeEventListener('abort', cancel));
  }

  progress(host: string, progress: CommandProgress): void {
    this.#pending.progress(host, progress);
  }

  settle(host: string, result: CommandResult): void {
    this.#pending.settle(host, result);
  }

  /** The session of the host is over. */
  lose(host: string, why: string): void {
    this.#pending.lose(host, why);
  }

  /** The command with what only the host may have. What is to go is known by its name. */
  #joined(command: FleetCommand): FleetCommand {
    const { join } = this.#options;
    const steps = command.steps.map((step) =>
      step.verb === 'remove' ? step : { ...step, resource: join(step.resource) },
    );
    return { ...command, steps };
  }

  /** What is known to be secret of what lives; nothing when it cannot be known any more. */
  #joinedLive<R extends HostResource>(resource: R): R {
    try {
      return this.#options.join(resource);
    } catch {
      return resource;
    }
  }

  /** What the host has been given for the owner of the command. */
  *#givenTo(host: string, { owner, steps }: FleetCommand): Generator<Pick<HostResource, 'kind' | 'spec'>> {
    for (const { resource } of steps) yield resource;
    for (const { host: at, resource: live } of this.#options.live.ownedBy(owner)) {
      const resource = at === host ? this.#joinedLive(live) : live;
      if (at === host && secretsOf(resource).length > 0) {
        yield resource; // The seed of the instance. A host may claim as many as it likes: one is looked at.
        return;
      }
    }
  }
}

const MIB = 1 << 20;

/** Milliseconds within which a host answers. */
function timeFor({ steps }: FleetCommand, { commandSeconds, commandImageMiBPerSecond }: ServerLimits): number {
  let seconds = commandSeconds;
  for (const { verb, resource } of steps)
    if (verb === 'ensure' && resource.kind === 'image')
      seconds += resource.spec.maxBytes / MIB / commandImageMiBPerSecond;
  return Math.ceil(seconds) * 1000;
}
