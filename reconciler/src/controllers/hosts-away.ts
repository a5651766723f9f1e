/** Hosts that have told what lives there and are not connected: anything may be there of which nothing is known here. */
import type { Host } from '@plumb/schemas';
import type { Context } from './controller.ts';

/** Their names. */
export function hostsAway({ cache, read, liveness }: Pick<Context, 'cache' | 'read' | 'liveness'>): string[] {
  const away: string[] = [];
  const look = (name: string) => {
    if (!liveness.connected(name)) away.push(name);
  };
  for (const { object } of read.list<Host>('hosts'))
    if (object.status?.driver !== undefined && !isEmptied(object)) look(object.metadata.name);
  for (const { kind, rest } of cache.poisoned.aside()) if (kind.kind === 'Host') look(rest.metadata.name);
  return away;
}

/** Whether only finalizers of others keep it: it is deleted, and nothing was left on it. */
function isEmptied({ metadata }: Host): boolean {
  return metadata.deletionTimestamp !== undefined && !metadata.finalizers?.includes('plumb.dev/host');
}
