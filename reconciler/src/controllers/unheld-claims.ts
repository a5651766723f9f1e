/**
 * Claims of which the holder is known nowhere: its record was damaged as a whole and dropped, so nothing says what it held. They are
 * listed among what cannot be read, and a person frees them; until then nobody else gets the address.
 */
import { isUid } from '../store/examine.ts';
import type { Context } from './controller.ts';
import { hostsAway } from './hosts-away.ts';

/** Claims that are looked at before other work has its turn. */
const AT_ONCE = 10_000;

type Parts = Pick<Context, 'index' | 'cache' | 'read' | 'journal' | 'fleet' | 'liveness'>;

/** Keys and holders' uids, at most `most`. None while an object's uid or what lives on a host is not known: it may be the holder. */
export async function unheldClaims(parts: Parts, most: number): Promise<{ key: string; uid: string }[]> {
  const found: { key: string; uid: string }[] = [];
  if (most <= 0 || mayBeHeldUnseen(parts)) return found;
  let looked = 0;
  for (const key of parts.index.claims()) {
    if (++looked % AT_ONCE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const uid = holderNowhere(parts, key);
    if (uid !== undefined && found.push({ key, uid }) >= most) break;
  }
  return found;
}

/** Whether the key is a claim that {@link unheldClaims} lists. */
export function isUnheldClaim(parts: Parts, key: string): boolean {
  return !mayBeHeldUnseen(parts) && holderNowhere(parts, key) !== undefined;
}

/** uid of the holder if no object, no flow and no host has it. */
function holderNowhere({ index, cache, journal, fleet }: Parts, key: string): string | undefined {
  const uid = index.holder(key);
  if (uid === undefined || !isUid(uid) || cache.isOwner(uid) || journal.knows(uid)) return undefined;
  for (const _ of fleet.ownedBy(uid)) return undefined;
  return uid;
}

function mayBeHeldUnseen(parts: Parts): boolean {
  for (const { uid } of parts.cache.poisoned.aside()) if (uid === undefined) return true;
  return hostsAway(parts).length > 0;
}
