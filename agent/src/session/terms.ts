import { type Clock, type PlumbError, retryable } from '@plumb/schemas';
import type { AgentLimits } from '@plumb/schemas/limits/agent.ts';

/** Terms of one second: a term is the time of a start in seconds, shifted by 20 random bits. */
const PER_SECOND = 2 ** 20;
/** No server that counts by its clock says more: a term stays an exact number. */
const MOST = 2 ** 52 + 2 ** 51;
/** A clock that stands before this was lost, and says nothing of terms. */
const CLOCK_SET = Date.UTC(2026, 0, 1);

/**
 * Why the host does not obey a control plane of this term, whatever it has obeyed; undefined when it may. What is obeyed once is
 * obeyed for ever: a term beyond all time would lock every later control plane out.
 */
export function termProblem(
  term: number,
  clock: Clock,
  { termAheadSeconds }: Pick<AgentLimits, 'termAheadSeconds'>,
): PlumbError | undefined {
  const now = clock.now();
  const most = now < CLOCK_SET ? MOST : Math.min(MOST, (now / 1000 + termAheadSeconds) * PER_SECOND);
  if (Number.isSafeInteger(term) && term >= 0 && term <= most) return undefined;
  return retryable(
    'TermOutOfRange',
    `the server is of term ${term}, which no control plane can have by now: look after the clocks of server and host. If the server's was ahead once, allow for it with termAheadSeconds in the limits file of the agent`,
  );
}
