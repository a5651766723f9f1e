/** Deletions that wait for hosts, and for none for ever. */
import { objectName, PlumbError, retryable } from '@plumb/schemas';
import type { Cached } from '../runtime/cache.ts';
import type { Context } from './controller.ts';
import { converge, named } from './converge.ts';
import { type Straggler, unansweredHosts } from './unanswered.ts';

/**
 * As {@link converge}, for an object that goes when nothing of it is left on connected hosts. Throws `Removing` (retry), which names
 * those that are waited for. One that does not remove it in the time in which commands are answered (commandSeconds) keeps it:
 * it is removed when the host obeys, and its Host says so; nothing else waits. `what`: e.g. `its bridge`.
 */
export async function removeEverywhere(context: Context, cached: Cached, what: string): Promise<void> {
  const { uid } = cached.object.metadata;
  const wanted = [...context.fleet.ownedBy(uid)];
  let failure: PlumbError | undefined;
  let stragglers: Straggler[] = [];
  try {
    stragglers = await converge(
      context,
      { owner: uid, key: cached.key, fence: cached.revision, isLast: true },
      wanted.map(({ host, resource }) => ({ host, live: resource, desired: undefined })),
    );
  } catch (thrown) {
    failure = PlumbError.from(thrown, cached.key);
  }
  await awaitRemoval(context, cached, what, stragglers, failure);
}

/** The end of {@link removeEverywhere}, when hosts were told. */
export async function awaitRemoval(
  context: Context,
  { object }: Cached,
  what: string,
  stragglers: readonly Straggler[],
  failure?: PlumbError,
): Promise<void> {
  const { uid } = object.metadata;
  const unanswered = context.own(unansweredHosts);
  const [waited, keeping] = [new Set<string>(), new Set<string>()];
  const now = context.ambient.clock.now();
  for (const { host, resource } of context.fleet.ownedBy(uid)) {
    if (!context.liveness.connected(host)) continue;
    const since = unanswered.removalSince(uid, host, resource);
    const isLate = since !== undefined && (now < since || now - since >= context.limits.commandSeconds * 1000);
    if (isLate || (since !== undefined && context.fleet.silenceOf(host))) keeping.add(host);
    else waited.add(host);
  }
  if (waited.size > 0) throw failure ?? retryable('Removing', stillOn(what, waited, stragglers));
  unanswered.forget(uid);
  if (keeping.size === 0) return;
  const message = `${objectName(object.metadata)}: ${what} stays on ${named(keeping)}, which did not remove it; it goes as soon as the host obeys`;
  context.events.record({ object, type: 'Warning', reason: 'LeftOnHost', message });
}

/** The sentence of a deletion that waits for hosts. */
export function stillOn(what: string, hosts: Iterable<string>, stragglers: readonly Straggler[]): string {
  const names = [...new Set(hosts)].sort();
  const silent = names.filter((name) => stragglers.some(({ host }) => host === name));
  const which = silent.length === 0 ? '' : `; ${named(silent)} did not answer yet`;
  return `${what} is still on ${named(names)}${which}. If a host is off: plumb host fence ${silent[0] ?? names[0]} --confirmed-off`;
}
