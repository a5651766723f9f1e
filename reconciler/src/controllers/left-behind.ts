/** What an object leaves on hosts that are off: it is removed when they come back, by the record of its deletion. */
import type { Context } from './controller.ts';
import { isOff } from './restriction.ts';

/** Names of the hosts that are off, as a person said, and may have something of the object. `held`: where it holds something. */
export function leftBehindOn(context: Context, uid: string, held: Iterable<string> = []): string[] {
  const hosts = new Set(held);
  for (const { host } of context.fleet.ownedBy(uid)) hosts.add(host);
  return [...hosts].filter((host) => isOff(context, host)).sort();
}
