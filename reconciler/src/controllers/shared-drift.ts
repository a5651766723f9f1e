/** Something that instances share differs on a host from what was made there: said in a condition and in events. */
import { type LiveResource, objectName } from '@plumb/schemas';
import type { Cached } from '../runtime/cache.ts';
import { findCondition } from '../runtime/conditions.ts';
import type { Context } from './controller.ts';
import type { HostSteps } from './converge.ts';
import { conditionsTo, writeStatus } from './status.ts';

/** A network may differ on all of its hosts at once: after these, the others are counted. */
const NAMED = 3;

/**
 * What hosts have told of networks that differ there, until their object says it. An instance that uses the resource may have
 * it repaired before its object's own controller looks at it.
 */
export class SharedDrifts {
  /** Uid of the object → host → what differs there. */
  readonly #found = new Map<string, Map<string, string>>();

  note(host: string, resource: LiveResource): void {
    if (resource.drift.length === 0 || (resource.kind !== 'bridge' && resource.kind !== 'subnet')) return;
    const found = this.#found.get(resource.owner) ?? new Map<string, string>();
    this.#found.set(resource.owner, found.set(host, resource.drift.join(', ')));
  }

  /** What was told since the last time; also to be called when the object goes. */
  take(uid: string): Map<string, string> {
    const found = this.#found.get(uid);
    this.#found.delete(uid);
    return found ?? new Map();
  }
}

/** What differs on which host: of the steps that are to repair it, and of what was repaired meanwhile. */
function foundOn(context: Context, uid: string, wanted: HostSteps): Map<string, string> {
  const found = context.drifts.take(uid);
  for (const { host, live, desired } of wanted)
    if (desired && live && live.drift.length > 0 && context.liveness.connected(host))
      found.set(host, live.drift.join(', '));
  return found;
}

/** E.g. `its DHCP server does not run (on host-1)`. */
function sentenceOf(found: ReadonlyMap<string, string>): string {
  const sentences = [...found].slice(0, NAMED).map(([host, what]) => `${what} (on ${host})`);
  return sentences.join('; ') + (found.size > NAMED ? `; and so on ${found.size - NAMED} more hosts` : '');
}

/** To be called before it is repaired. */
export async function tellSharedDrift(context: Context, cached: Cached, wanted: HostSteps): Promise<void> {
  const found = foundOn(context, cached.object.metadata.uid, wanted);
  if (found.size === 0) return;
  const message = `${sentenceOf(found)}; it is repaired`;
  const latest = context.read.get(cached.key) ?? cached;
  const before = findCondition(latest.object, 'Drifted');
  if (before?.status === 'True' && before.message === message) return;
  await writeStatus(context, latest, (status, object) =>
    conditionsTo(context, status, object, [{ type: 'Drifted', status: 'True', reason: 'Found', message }], []),
  );
  record(context, cached, 'Warning', 'Drifted', message);
}

/** To be called when every host is as declared. */
export async function tellSharedRepaired(context: Context, cached: Cached): Promise<void> {
  const latest = context.read.get(cached.key) ?? cached;
  const found = findCondition(latest.object, 'Drifted');
  if (found?.status !== 'True') return;
  const message = `was repaired; what was found: ${found.message.replace(/; it is repaired$/, '')}`;
  await writeStatus(context, latest, (status, object) =>
    conditionsTo(context, status, object, [{ type: 'Drifted', status: 'False', reason: 'Repaired', message }], []),
  );
  record(context, cached, 'Normal', 'Repaired', message);
}

function record({ events }: Context, { object }: Cached, type: 'Normal' | 'Warning', reason: string, message: string) {
  events.record({ object, type, reason, message: `${objectName(object.metadata)}: ${message}` });
}
