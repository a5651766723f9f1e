/**
 * What an agent says of itself and of its work, as far as it is fit to be kept, shown and reckoned with. A host is a claimant:
 * numbers become whole numbers, texts are cut to their bounds and hold printable characters only.
 */
import { PlumbError, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Attach, CommandResult, Refused, StepResult, WireHostFacts } from '@plumb/schemas/wire/messages.ts';
import type { HostFacts, StepOutcome } from './fleet.ts';

export type HeardLimits = Pick<ServerLimits, 'hostTextCharacters' | 'hostMessageCharacters'>;

/** `streamAddress`: where the agent's stream comes from, which it cannot choose. */
export function factsFrom(facts: WireHostFacts | null, streamAddress: string, limits: HeardLimits): HostFacts {
  const { driver = '', agentVersion = '', cpus = 0, memoryMib = 0, tunnelAddress = '' } = facts ?? {};
  const text = (given: string) => printable(given, limits.hostTextCharacters);
  return {
    driver: text(driver),
    agentVersion: text(agentVersion),
    cpus: whole(cpus),
    memoryMiB: whole(memoryMib),
    tunnelAddress: text(tunnelAddress),
    streamAddress,
  };
}

/**
 * What is kept of an Attach while it waits for its turn: what the agent runs is of no use here, and no fact is longer than it
 * may be.
 */
export function slimAttach(attach: Attach, limits: HeardLimits): Attach {
  const { facts } = attach;
  if (facts === null) return { ...attach, runningCommands: [] };
  const text = (given: string) => printable(given, limits.hostTextCharacters);
  const { driver, agentVersion, tunnelAddress } = facts;
  return {
    ...attach,
    facts: {
      ...facts,
      driver: text(driver),
      agentVersion: text(agentVersion),
      tunnelAddress: text(tunnelAddress),
    },
    runningCommands: [],
  };
}

/**
 * What became of the steps that were sent, in their order up to the first failure. Throws PlumbError `HostRefused` (retry)
 * when the host refused the command, or does not say what became of each step.
 */
export function outcomesFrom(
  host: string,
  sent: readonly string[],
  { steps, refused }: CommandResult,
  limits: HeardLimits,
): StepOutcome[] {
  if (refused) throw refusal(host, refused, limits);
  const outcomes: StepOutcome[] = [];
  for (const [index, step] of sent.entries()) {
    const said = steps[index];
    if (said?.step !== step)
      throw retryable('HostRefused', `host ${host} did not say what became of step ${index + 1} of ${sent.length}`);
    outcomes.push(outcome(said, limits));
    if (!said.ok) break;
  }
  return outcomes;
}

function outcome({ step, ok, reason, message, terminal }: StepResult, limits: HeardLimits): StepOutcome {
  if (ok) return { step, ...(message ? { note: printable(message, limits.hostMessageCharacters) } : {}) };
  const retry = terminal ? 'terminal' : 'retry';
  const said = printable(message, limits.hostMessageCharacters);
  return { step, error: new PlumbError({ reason: word(reason, limits), message: said, retry }) };
}

function refusal(host: string, { reason, message }: Refused, limits: HeardLimits): PlumbError {
  const said = printable(message, limits.hostMessageCharacters);
  return retryable('HostRefused', `host ${host} refused (${word(reason, limits)}): ${said}`);
}

const WORD = /^[A-Za-z][A-Za-z0-9]*$/;

/** A reason is one word: it becomes the reason of a condition. */
function word(reason: string, { hostTextCharacters }: HeardLimits): string {
  return reason.length <= hostTextCharacters && WORD.test(reason) ? reason : 'HostFailed';
}

function whole(claimed: number): number {
  return Number.isSafeInteger(claimed) && claimed >= 0 ? claimed : Number.MAX_SAFE_INTEGER;
}
