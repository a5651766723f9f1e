/** What hosts say of their steps, without what it repeats of the secrets that they were given: agents are not to be relied on. */
import { type HostResource, PlumbError } from '@plumb/schemas';
import { scrub } from '@plumb/schemas/project/scrub.ts';
import { secretsOf } from '@plumb/schemas/wire/resource-codec.ts';
import type { StepOutcome } from './fleet.ts';

type Given = Pick<HostResource, 'kind' | 'spec'>;

/** `given`: what the host was given for the owner of the command, in this one and before. Asked for only where something is said. */
export function discreet(outcomes: StepOutcome[], given: () => Iterable<Given>): StepOutcome[] {
  if (!outcomes.some(({ error, note }) => error || note)) return outcomes;
  const secrets = secretsAmong(given());
  if (secrets.length === 0) return outcomes;
  return outcomes.map(({ step, error, note }) => ({
    step,
    ...(error ? { error: scrubbed(error, secrets) } : {}),
    ...(note ? { note: scrub(note, secrets) } : {}),
  }));
}

export function discreetError(error: PlumbError, given: () => Iterable<Given>): PlumbError {
  return scrubbed(error, secretsAmong(given()));
}

function scrubbed(error: PlumbError, secrets: readonly string[]): PlumbError {
  const message = scrub(error.message, secrets);
  return message === error.message ? error : new PlumbError({ reason: error.reason, message, retry: error.retry });
}

function secretsAmong(given: Iterable<Given>): string[] {
  return [...given].flatMap(secretsOf);
}
