/** Waiting until objects are ready, or have said that they never will be. */

import { settled } from '@plumb/client/settled.ts';
import type { Session } from './command.ts';
import { follow, type Target } from './follow.ts';
import { Progress } from './progress.ts';
import type { Surroundings } from './surroundings.ts';

/** Exit code: 0 when all are ready; 1 when one failed, went away or is late, each of which is told. */
export async function awaitReady(
  session: Session,
  surroundings: Surroundings,
  targets: readonly Target[],
  timeoutMs: number,
): Promise<number> {
  const stop = surroundings.interruptible();
  using progress = surroundings.interactive
    ? await liveTree(session, surroundings, targets)
    : new Progress(surroundings, targets, 'ready');
  const last = new Map<Target, string>();
  let ready = 0;
  const late = await follow({
    client: session.client,
    clock: surroundings.clock,
    timeoutMs,
    targets,
    stop,
    seen(target, object) {
      if (!object || object.metadata.deletionTimestamp) {
        progress.fails(target, object ? 'is being deleted' : 'is not there');
        return true;
      }
      const now = settled(object);
      if (now.state === 'waiting') {
        last.set(target, now.message ? `${now.reason}: ${now.message}` : now.reason);
        progress.waits(target, now.reason, now.message);
        return false;
      }
      if (now.state === 'ready') {
        ready++;
        progress.becomes(target);
      } else progress.fails(target, `failed: ${now.reason}: ${now.message}`);
      return true;
    },
  });
  if (stop.aborted)
    return progress.interrupted(
      `${ready} of ${targets.length} ${ready === 1 ? 'is' : 'are'} ready; the server goes on with the others, and plumb wait waits again`,
    );
  for (const target of late)
    progress.fails(target, `is not ready in time: ${last.get(target) ?? 'nothing was heard of it'}`);
  progress.close(ready);
  return ready === targets.length ? 0 : 1;
}

/** A person sees each object, and what is done for it. */
async function liveTree(session: Session, surroundings: Surroundings, targets: readonly Target[]) {
  const [{ LiveTree }, { followSteps, keyOfStep }] = await Promise.all([
    import('./live-tree.ts'),
    import('./steps.ts'),
  ]);
  const tree = new LiveTree(surroundings, targets);
  tree.owns(
    followSteps(session.client, surroundings.clock, (found) => {
      for (const target of targets) tree.does(target, found.get(keyOfStep({ ...target, kind: target.resource.kind })));
    }),
  );
  return tree;
}
