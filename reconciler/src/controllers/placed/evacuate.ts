/** An object whose host is off, as a person said: it goes on elsewhere where what it has there may be given up, and else waits. */
import { type Host, type PlumbObject, retryable } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import type { Cached } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Precondition } from '../../store/store.ts';
import type { Again } from '../controller.ts';
import { isOff } from '../restriction.ts';
import { failedStatus, writeStatus } from '../status.ts';
import { beginFlow } from './begin.ts';
import { goForward, rest } from './go.ts';
import { mayGoOnElsewhere, settledHolding } from './held.ts';
import { isMadeFrom } from './inputs.ts';
import type { PlacedContext } from './placed-kind.ts';

/** The host that is off and on which the object is settled, unless a flow makes it elsewhere already. */
export function leftBehind(
  context: PlacedContext,
  object: PlumbObject,
  flow: Journaled | undefined,
): string | undefined {
  const host = settledHolding(context, object)?.host;
  if (host === undefined || !isOff(context, host)) return undefined;
  const isOnItsWay = flow?.record.target !== undefined && flow.record.target.host !== host;
  return isOnItsWay ? undefined : host;
}

export async function goOnElsewhere(
  context: PlacedContext,
  cached: Cached,
  off: string,
  flow: Journaled | undefined,
): Promise<Again | undefined> {
  if (!mayGoOnElsewhere(context, cached.object, off)) {
    const error = retryable(
      'HostFenced',
      `its host ${off} is off, as a person said, and ${context.placed.whyWait?.(cached.object)}`,
    );
    await writeStatus(context, cached, (status, object) => failedStatus(context, status, object, error));
    return undefined;
  }
  const resolved = context.placed.resolve(context, cached, true);
  const failure = flow?.record.direction === 'failed' ? flow.record.failure : undefined;
  // What failed on the host that is off says nothing of another.
  if (flow && failure && failure.host !== off && isMadeFrom(context, flow.record, cached.object, resolved))
    return rest(flow);
  return goForward(context, cached, await beginFlow(context, cached, resolved, 'create'));
}

/** Proof that the host of the object has not come back: what is decided while it is off must not be made when it is not. */
export function proofOfOff(context: PlacedContext, object: PlumbObject): Precondition[] {
  const host = settledHolding(context, object)?.host;
  if (host === undefined || !isOff(context, host)) return [];
  const key = keys.object('hosts', undefined, host);
  return [{ key, revision: context.read.get<Host>(key)!.revision }];
}
