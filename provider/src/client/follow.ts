/** Following one object as it changes: a watch, renewed when it breaks. Nothing is polled. */
import { PlumbError, type PlumbObject, retryable } from '@plumb/schemas';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import { collectionPath, listObject, only, type Reference } from './objects.ts';
import { errorOfEvent } from './status.ts';

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: PlumbObject;
}

/** Looks at the object as it is now; undefined: it is gone. An answer ends the following. */
export type Look<T> = (object: PlumbObject | undefined) => T | undefined;

/** A watch ends by itself after this time and is renewed, so that a dead connection is noticed. Seconds. */
const WATCH_SECONDS = 240;

/**
 * Shows `look` each version of the object with that uid until it answers. Begins with `known` where that is given. An
 * object of the same name with another uid counts as gone. Rejects with the deadline's reason when that ends first.
 */
export async function follow<T>(
  client: Client,
  ref: Reference,
  uid: string,
  limit: Deadline,
  look: Look<T>,
  known?: PlumbObject,
): Promise<T> {
  const see = (object: PlumbObject | undefined) => look(object?.metadata.uid === uid ? object : undefined);
  const position: { revision?: string } = {};
  let answer: T | undefined;
  if (known) {
    answer = see(known);
    position.revision = known.metadata.resourceVersion;
  }
  for (let broken = 0; answer === undefined; ) {
    try {
      if (position.revision === undefined) {
        const listing = await listObject(client, ref, limit);
        position.revision = listing.resourceVersion;
        answer = see(listing.object);
      }
      if (answer === undefined) answer = await watchOnce(client, ref, limit, position, see);
      broken = 0;
    } catch (thrown) {
      const error = PlumbError.from(thrown, client.transport.endpoint);
      if (limit.signal.aborted) throw PlumbError.from(limit.signal.reason, client.transport.endpoint);
      if (error.retry === 'terminal' && error.reason !== 'Expired') throw error;
      position.revision = undefined;
      await client.pauseAfter(broken++, limit.signal, error);
    }
  }
  return answer;
}

/** One watch, until `see` answers or the server ends it. `position` moves on with what was seen. */
async function watchOnce<T>(
  client: Client,
  ref: Reference,
  limit: Deadline,
  position: { revision?: string },
  see: Look<T>,
): Promise<T | undefined> {
  const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}`;
  const path = `${collectionPath(ref)}?${query}&resourceVersion=${position.revision}&${only(ref)}`;
  let events = 0;
  for await (const line of client.transport.lines({ method: 'GET', path }, limit.signal)) {
    const { type, object } = line as WatchEvent;
    events++;
    if (type === 'ERROR') throw expired(errorOfEvent(object, `watch of ${ref.kind.plural}`));
    position.revision = object.metadata.resourceVersion;
    if (type === 'BOOKMARK' || object.metadata.name !== ref.name) continue;
    const answer = see(type === 'DELETED' ? undefined : object);
    if (answer !== undefined) return answer;
  }
  // A server that ends watches at once must not be asked again without a pause.
  if (events === 0) throw retryable('WatchEnded', `${client.transport.endpoint} ended a watch without an event`);
  return undefined;
}

/** A revision that the server does not keep any more: the listing is read again. */
function expired(error: PlumbError): PlumbError {
  return error.reason === 'Expired' || error.reason === 'Gone' ? retryable('Expired', error.message) : error;
}
