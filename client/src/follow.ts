/** Following objects as they change: a watch that goes on when it breaks, from where it was. Nothing is polled. */
import { PlumbError, retryable } from '@plumb/schemas/meta/error.ts';
import type { Body, Client, WatchEvent } from './client.ts';
import { ApiError } from './errors.ts';

/** What is to be seen of a collection. */
export interface View {
  /** Path of the collection. */
  path: string;
  /** A selector, as it stands in a query. */
  query?: string;
  /** A revision after which changes are shown; absent: everything that is there is shown first. */
  from?: string;
  /** Form of the objects that is wanted; `application/json`, if absent. */
  accept?: string;
  /** Told when a watch broke that is renewed. */
  broken?: (error: PlumbError) => void;
}

export type Change =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Body }
  /** What is there now is shown from here on, whatever was shown before. */
  | { type: 'BEGIN' }
  /** That was all that is there. */
  | { type: 'COMPLETE' };

/** Annotation of the bookmark after what is there (KEP-3157). */
const INITIAL_END = 'k8s.io/initial-events-end';
const INITIAL = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';

/**
 * The changes of a collection until `signal` aborts, which throws its reason. A change may be shown twice. What the server has
 * forgotten (410) is made up for by showing everything again. Throws what will not pass.
 */
export async function* changes(
  client: Client,
  { path, query, from, accept, broken: told }: View,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const position = new Position(from);
  const { watchSeconds, answerMs } = client.transport.bounds;
  const selected = query === undefined ? '' : `&${query}`;
  let away = false;
  for (let broken = 0; ; ) {
    using limit = client.silence(watchSeconds * 1000 + answerMs, signal);
    try {
      if (away && (await isBehind(client, path, position.revision, limit.signal))) position.lose();
      away = false;
      const { revision } = position;
      const begin = revision === undefined ? INITIAL : `resourceVersion=${encodeURIComponent(revision)}`;
      const url = `${path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&${begin}${selected}`;
      if (revision === undefined) yield { type: 'BEGIN' };
      let events = 0;
      for await (const { type, object } of client.watch(url, limit.signal, accept)) {
        events++;
        broken = 0;
        const complete = position.see(type, object);
        if (type !== 'BOOKMARK') yield { type, object };
        else if (complete) yield { type: 'COMPLETE' };
      }
      // A server that ends watches at once must not be asked again without a pause.
      if (events === 0) throw retryable('WatchEnded', `${client.transport.endpoint} ended a watch without an event`);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = PlumbError.from(thrown, client.transport.endpoint);
      if (isForgotten(error)) position.lose();
      else if (error.retry === 'terminal') throw error;
      away = error.reason === 'Unreachable';
      told?.(error);
      await client.pauseAfter(broken++, signal, error);
    }
  }
}

export interface Following<T> extends View {
  /** Names of which it is also shown that there is no such object. */
  names(): Iterable<string>;
  /** Looks at an object as it is now; undefined: it is not there. An answer ends the following. */
  see(name: string, object: Body | undefined): T | undefined;
}

/** Resolves with the first answer. Rejects with the signal's reason when that aborts first, and with what will not pass. */
export async function follow<T>(
  client: Client,
  { names, see, ...view }: Following<T>,
  signal: AbortSignal,
): Promise<T> {
  let there = new Set<string>();
  const absent = (): T | undefined => {
    for (const name of names()) {
      const answer = there.has(name) ? undefined : see(name, undefined);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
  for await (const change of changes(client, view, signal)) {
    let answer: T | undefined;
    if (change.type === 'BEGIN') there = new Set();
    else if (change.type === 'COMPLETE') answer = absent();
    else {
      const name = String(metadataOf(change.object).name);
      there.add(name);
      answer = see(name, change.type === 'DELETED' ? undefined : change.object);
    }
    if (answer !== undefined) return answer;
  }
  throw retryable('WatchEnded', `${client.transport.endpoint} ended a watch`);
}

/**
 * From where a watch goes on: a revision of which every change was seen. Several changes may have been committed as one, and not
 * all of them have come, so the newest revision counts only when something newer has come.
 */
export class Position {
  #whole: string | undefined;
  #newest: string | undefined;

  constructor(from: string | undefined) {
    this.#whole = from;
    this.#newest = from;
  }

  /** Undefined: everything is to be shown. */
  get revision(): string | undefined {
    return this.#whole;
  }

  /** True for the event that ends what is there already. */
  see(type: WatchEvent['type'], object: Body): boolean {
    const { resourceVersion, annotations } = metadataOf(object);
    const revision = typeof resourceVersion === 'string' ? resourceVersion : undefined;
    if (revision === undefined) return false;
    if (type === 'BOOKMARK') {
      const initial = this.#whole === undefined;
      const complete = initial && annotations?.[INITIAL_END] === 'true';
      if (initial && !complete) return false;
      this.#whole = revision;
      this.#newest = revision;
      return complete;
    }
    // What is there already comes in no order.
    if (this.#whole === undefined || revision === this.#newest) return false;
    this.#whole = this.#newest;
    this.#newest = revision;
    return false;
  }

  lose(): void {
    this.#whole = undefined;
    this.#newest = undefined;
  }
}

/**
 * Whether a server that was away has come back with less than we have seen, as one does whose store was restored: a watch from
 * a revision that is yet to come would be quiet, however much changed.
 */
async function isBehind(client: Client, path: string, seen: string | undefined, signal: AbortSignal): Promise<boolean> {
  if (seen === undefined) return false;
  const { metadata } = await client.transport.json({ method: 'GET', path: `${path}?limit=1` }, signal);
  return !(Number(metadata?.resourceVersion) >= Number(seen));
}

/** Of a table, that of its row. */
function metadataOf(object: Body): { name?: string; resourceVersion?: string; annotations?: Record<string, string> } {
  return (object.kind === 'Table' ? object.rows?.[0]?.object?.metadata : object.metadata) ?? {};
}

function isForgotten(error: PlumbError): boolean {
  return (error instanceof ApiError && error.status === 410) || error.reason === 'Expired' || error.reason === 'Gone';
}
