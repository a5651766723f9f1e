import type { PlumbError } from '@plumb/schemas';
import { PlumbError as Failure, retryable } from '@plumb/schemas';
import type { CommandProgress, CommandResult } from '@plumb/schemas/wire/messages.ts';
import type { CommandAttention, StepOutcome } from './fleet.ts';
import { type HeardLimits, outcomesFrom } from './heard.ts';

interface Pending {
  /** Ids of its steps, in order. */
  steps: readonly string[];
  onProgress: CommandAttention['onProgress'] | undefined;
  resolve(outcomes: StepOutcome[]): void;
  reject(error: PlumbError): void;
}

/** Commands that were sent and not answered, by host and id. */
export class PendingCommands {
  readonly #limits: HeardLimits;
  readonly #pending = new Map<string, Map<string, Pending>>();

  constructor(limits: HeardLimits) {
    this.#limits = limits;
  }

  get size(): number {
    let size = 0;
    for (const commands of this.#pending.values()) size += commands.size;
    return size;
  }

  /** Resolves or rejects as `Fleet.send` says. */
  wait(
    host: string,
    command: string,
    steps: readonly string[],
    onProgress?: CommandAttention['onProgress'],
  ): Promise<StepOutcome[]> {
    let commands = this.#pending.get(host);
    if (commands === undefined) {
      commands = new Map();
      this.#pending.set(host, commands);
    }
    const { promise, resolve, reject } = Promise.withResolvers<StepOutcome[]>();
    commands.set(command, { steps, onProgress, resolve, reject });
    return promise;
  }

  /** A word on the way. What is no size, or of a command that nobody waits for, is passed over. */
  progress(host: string, { command, bytes, ofBytes }: CommandProgress): void {
    const pending = this.#pending.get(host)?.get(command);
    if (!isSize(bytes) || !isSize(ofBytes)) return;
    pending?.onProgress?.({ bytes, ofBytes: ofBytes === 0 ? undefined : ofBytes });
  }

  /** Only the host that was commanded can answer; answers that nobody waits for are dropped. */
  settle(host: string, result: CommandResult): void {
    const commands = this.#pending.get(host);
    const pending = commands?.get(result.command);
    if (pending === undefined) return;
    commands?.delete(result.command);
    try {
      pending.resolve(outcomesFrom(host, pending.steps, result, this.#limits));
    } catch (thrown) {
      pending.reject(Failure.from(thrown, `host ${host}`));
    }
  }

  /** The host did not answer in time. False when the command was answered or lost before. */
  expire(host: string, command: string, error: PlumbError): boolean {
    const pending = this.#pending.get(host)?.get(command);
    if (pending === undefined) return false;
    this.#pending.get(host)!.delete(command);
    pending.reject(error);
    return true;
  }

  /** The host was lost: whether its commands take effect is not known. */
  lose(host: string, why: string): void {
    const commands = this.#pending.get(host);
    this.#pending.delete(host);
    for (const { reject } of commands?.values() ?? [])
      reject(retryable('HostDisconnected', `host ${host} was lost before it answered: ${why}`));
  }
}

function isSize(claimed: number): boolean {
  return Number.isSafeInteger(claimed) && claimed >= 0;
}
