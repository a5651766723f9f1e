/** Where an object may run of which the store does not say it: the hosts that are known have some time to come back and tell. */
import { type Host, type PlumbObject, retryable } from '@plumb/schemas';
import type { Context } from '../controller.ts';
import { hostsAway } from '../hosts-away.ts';
import { calledInCommands } from './words.ts';

/**
 * An object that had no place when this process began may run somewhere all the same: the store may have been put
 * back to an earlier time. The hosts that are known have some time to come back and tell.
 */
export function awaitReturn(context: Context, { metadata, spec }: PlumbObject): void {
  if (!context.unplaced.has(metadata.uid)) return;
  for (const { object } of context.read.list<Host>('hosts')) {
    const { name } = object.metadata;
    if (isOfOtherZone(object, spec) || object.status?.driver === undefined) continue;
    if ((context.liveness.graceLeftMs(name) ?? 0) > 0)
      throw retryable(
        'HostsReturning',
        `host ${name} has not come back yet since the server began, and it may run there`,
      );
  }
}

/** A kind that names no zone may be anywhere. */
function isOfOtherZone(host: Host, { zone }: Record<string, unknown>): boolean {
  return zone !== undefined && host.spec.zone !== zone;
}

/** What is known of where it is was lost: it may run on any host that has not told. */
export function requireEveryHost(context: Context, key: string): void {
  const away = hostsAway(context);
  if (away.length > 0)
    throw retryable(
      'HostNotConnected',
      `it is not known where it is, and it may be on ${away.slice(0, 5).join(', ')}, which ${away.length === 1 ? 'is' : 'are'} not connected; it waits until they are, or are deleted. If nothing of it runs there any more: plumb flows abandon ${calledInCommands(key)}`,
    );
}
