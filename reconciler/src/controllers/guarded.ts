/** Turns what a reconcile throws into the object's condition, and lets the queue try again. */
import { PlumbError, retryable } from '@plumb/schemas';
import type { Cached } from '../runtime/cache.ts';
import type { Again, Context } from './controller.ts';
import { failedStatus, writeStatus } from './status.ts';

/** Reason of an error that was already said in a condition of its own. */
export const QUIET_REASON = 'Degraded';

/** Reasons that pass within moments, or were said already: not worth a condition here. */
const unremarkable = new Set(['Conflict', 'StoreUnavailable', 'Gone', QUIET_REASON]);

/**
 * Runs `work`. A retryable error becomes a condition and is thrown on, for the queue's backoff; a terminal one becomes a
 * Stalled condition and ends here: the next change of an input calls the controller again.
 */
export async function guarded(
  context: Context,
  cached: Cached,
  work: () => Promise<Again | undefined>,
): Promise<Again | undefined> {
  try {
    return await work();
  } catch (thrown) {
    const error = stillWanted(
      PlumbError.from(thrown, `reconciling ${cached.key}`),
      context.read.get(cached.key) ?? cached,
    );
    if (!unremarkable.has(error.reason)) {
      const latest = context.read.get(cached.key) ?? cached;
      await writeStatus(context, latest, (status, object) => failedStatus(context, status, object, error));
    }
    if (error.retry === 'terminal') return undefined;
    throw error;
  }
}

/** Nobody can declare a deletion otherwise: what fails for good is tried again, or the object would stay for ever. */
function stillWanted(error: PlumbError, { object }: Cached): PlumbError {
  const leaving = object.metadata.deletionTimestamp !== undefined;
  if (leaving) return retryable(error.reason, error.message, error); // guard: stuck deleting
  return error;
}
