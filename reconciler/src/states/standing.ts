/** How a state stands: whether it can be used, and why not. Of a name that ever existed nobody is told that there is nothing. */
import { type PlumbObject, retryable, terraformState } from '@plumb/schemas';
import { examine } from '../store/examine.ts';
import { keys } from '../store/keys.ts';
import { type PutBack, readPutBack } from '../store/put-back.ts';
import type { Store } from '../store/store.ts';
import { readStateHead, type StateHead } from './head.ts';
import { damaged, type Place } from './parts.ts';
import { blocked, type StateLocked, time } from './refusal.ts';

export interface Standing {
  object: PlumbObject;
  revision: number;
  head: StateHead;
  /** 0: there is no head yet. */
  headRevision: number;
  putBack: PutBack | undefined;
  /** Why it cannot be used, although it is there; undefined when it can. */
  blocked: StateLocked | undefined;
}

export function objectKey({ namespace, name }: Place): string {
  return keys.object(terraformState.plural, namespace, name);
}

export function headKey({ namespace, name }: Place): string {
  return keys.stateHead(namespace, name);
}

/**
 * Throws {@link StateLocked} when there is no such state, or none any more; retry `StateDamaged` when one of its records cannot be
 * read.
 */
export async function standingOf(store: Pick<Store, 'get'>, place: Place, now: number): Promise<Standing> {
  // The head first: it is written together with the object, and is never newer than what is read after it.
  const headEntry = await store.get(headKey(place));
  const entry = await store.get(objectKey(place));
  const putBack = await readPutBack(store);
  const head = headEntry && readStateHead(headEntry.value);
  if (headEntry && !head)
    throw damaged(place, 'the record of its versions is damaged, or its encryption key is missing');
  if (!entry) throw head ? gone(place, head, now) : unknown(place, putBack, now);
  const { object } = examine(terraformState, entry);
  if (!object)
    throw retryable(
      'StateDamaged',
      `the TerraformState ${place.namespace}/${place.name} cannot be understood: plumb get poisoned says why`,
    );
  const { uid } = object.metadata;
  if (!head && (object.status as { serial?: number } | undefined)?.serial !== undefined)
    throw damaged(place, 'the record of its versions is missing');
  const known: StateHead = head ?? {
    ...{ format: 1, uid, versions: [] },
    acknowledged: isOlder(object, putBack) ? 0 : (putBack?.term ?? 0),
  };
  return {
    ...{ object, revision: entry.revision, head: known, headRevision: headEntry?.revision ?? 0, putBack },
    blocked: whyBlocked(place, object, known, putBack, now),
  };
}

/** Whether it was there before the store was put back. Timestamps of objects are whole seconds. */
function isOlder({ metadata }: PlumbObject, putBack: PutBack | undefined): boolean {
  return putBack !== undefined && Date.parse(metadata.creationTimestamp) <= putBack.at;
}

function whyBlocked(
  place: Place,
  { metadata }: PlumbObject,
  head: StateHead,
  putBack: PutBack | undefined,
  now: number,
): StateLocked | undefined {
  const { name } = place;
  if (metadata.deletionTimestamp !== undefined) return blocked(place, 'Deleting', 'is being deleted', now);
  if (head.deleted)
    return blocked(
      place,
      'Deleted',
      `was deleted ${when(head.deleted)} and made anew: if what it described is gone, or is to be imported, plumb state acknowledge ${name} begins it empty`,
      now,
    );
  if (head.uid !== metadata.uid)
    return blocked(
      place,
      'MadeAnew',
      `has an object that was made anew, and holds serial ${serialOf(head)}: plumb state acknowledge ${name} goes on with that`,
      now,
    );
  if (putBack && head.acknowledged < putBack.term)
    return blocked(
      place,
      'PutBack',
      `went back to serial ${serialOf(head)}, since the server's store was put back to an earlier time (found out at ${time(putBack.at)}): Terraform may have made more since. plumb state acknowledge ${name} goes on with it: if there is a newer copy, push that next (terraform state push), else import what is missing in it`,
      now,
    );
  return undefined;
}

function gone(place: Place, head: StateHead, now: number): StateLocked {
  const was = head.deleted ? `was deleted ${when(head.deleted)}` : 'has lost its object';
  return blocked(
    place,
    'Deleted',
    `${was}: plumb state create ${place.name} makes it anew, and plumb state acknowledge ${place.name} lets it begin`,
    now,
  );
}

function unknown(place: Place, putBack: PutBack | undefined, now: number): StateLocked {
  const lost = putBack
    ? `. The server's store was put back to an earlier time (found out at ${time(putBack.at)}): if this state is younger, it is lost, and what it described is to be imported`
    : '';
  return blocked(place, 'NotCreated', `is not there: plumb state create ${place.name} makes it${lost}`, now);
}

function when({ at, serial }: NonNullable<StateHead['deleted']>): string {
  return `at ${time(at)} with serial ${serial}`;
}

export function serialOf({ versions, deleted }: StateHead): number {
  return versions[0]?.serial ?? deleted?.serial ?? 0;
}
