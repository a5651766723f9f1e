import type { PlumbError } from '@plumb/schemas';
import { PlumbError as Failure, retryable } from '@plumb/schemas';
import type { CommandResult, StepResult } from '@plumb/schemas/wire/messages.ts';
import type { StepOutcome } from './fleet.ts';

interface Pending {
  resolve(outcomes: StepOutcome[]): void;
  reject(error: PlumbError): void;
}

/** Commands that were sent and not answered, by host and id. */
export class PendingCommands {
  readonly #pending = new Map<string, Map<string, Pending>>();

  get size(): number {
    let size = 0;
    for (const commands of this.#pending.values()) size += commands.size;
    return size;
  }

  /** Resolves or rejects as `Fleet.send` says. */
  wait(host: string, command: string): Promise<StepOutcome[]> {
    let commands = this.#pending.get(host);
    if (commands === undefined) {
      commands = new Map();
      this.#pending.set(host, commands);
    }
    const { promise, resolve, reject } = Promise.withResolvers<StepOutcome[]>();
    commands.set(command, { resolve, reject });
    return promise;
  }

  /** Only the host that was commanded can answer; answers that nobody waits for are dropped. */
  settle(host: string, { command, steps, refused }: CommandResult): void {
    const commands = this.#pending.get(host);
    const pending = commands?.get(command);
    if (pending === undefined) return;
    commands?.delete(command);
    if (refused)
      pending.reject(retryable('HostRefused', `host ${host} refused (${refused.reason}): ${refused.message}`));
    else pending.resolve(steps.map(outcome));
  }

  /** The host was lost: whether its commands take effect is not known. */
  lose(host: string, why: string): void {
    const commands = this.#pending.get(host);
    this.#pending.delete(host);
    for (const { reject } of commands?.values() ?? [])
      reject(retryable('HostDisconnected', `host ${host} was lost before it answered: ${why}`));
  }
}

function outcome({ step, ok, reason, message, terminal }: StepResult): StepOutcome {
  if (ok) return { step };
  return { step, error: new Failure({ reason, message, retry: terminal ? 'terminal' : 'retry' }) };
}
