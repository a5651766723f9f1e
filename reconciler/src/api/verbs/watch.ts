import { PlumbError } from '@plumb/schemas';
import { decodeObject } from '../../store/object-codec.ts';
import type { Change, WatchBatch } from '../../store/store.ts';
import type { ApiContext, Call } from '../call.ts';
import { statusOf, TooNew } from '../failure.ts';
import { watchOptions } from '../list-options.ts';
import { notAcceptable, STREAM_TYPES } from '../media.ts';
import { exactKey, readAll } from '../page.ts';
import { mediaOf, type Presentation, parseRevision, presentationOf, watchedAs } from '../presentation.ts';
import { readable } from '../readable.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import { prefixOf, type Resource } from '../resource.ts';
import { type Selection, selectionOf } from '../selection.ts';

/** How often a client that asked for bookmarks gets one. */
const BOOKMARK_MS = 60_000;

/** Annotation of the bookmark that closes the initial events of a streaming list (KEP-3157). */
const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' };

interface Watch {
  resource: Resource;
  namespace: string | undefined;
  selection: Selection;
  present: Presentation;
  /** Revision to begin after; undefined: begin with what is there. */
  from: number | undefined;
  /** Whether a bookmark closes what is there. */
  closeInitial: boolean;
  bookmarks: boolean;
  signal: AbortSignal;
}

/** `GET /…/instances?watch=true`: one JSON line per change, until the client or the time limit ends it. */
export async function watch(context: ApiContext, resource: Resource, call: Call): Promise<Reply> {
  const { request } = call;
  if (mediaOf(request.headers.accept ?? '', resource).encoding === 'yaml') throw notAcceptable(STREAM_TYPES);
  const options = watchOptions(request.query);
  const initial = options.sendInitialEvents;
  const revision = parseRevision(options.resourceVersion ?? '0');
  if (initial && revision > resource.store.revision()) throw new TooNew(revision, resource.store.revision());
  const signal = limited(context, options.timeoutSeconds, request.signal);
  const lines = follow(context, {
    resource,
    namespace: call.namespace,
    selection: selectionOf(resource, request.query, context.limits),
    present: watchedAs(presentationOf(request, resource, context.ambient.clock)),
    from:
      initial === true || (revision === 0 && initial === undefined) ? undefined : revision || resource.store.revision(),
    // Of who reads bookmarks Kubernetes closes every beginning with one.
    closeInitial: options.allowBookmarks && (initial === true || (initial === undefined && revision === 0)),
    bookmarks: options.allowBookmarks,
    signal,
  });
  return { status: 200, type: JSON_TYPE, body: lines, live: true };
}

/** Lines of the watch, several together where several are ready. */
async function* follow(context: ApiContext, watch: Watch): AsyncGenerator<string> {
  const { resource, namespace, present, signal } = watch;
  try {
    let from = watch.from;
    if (from === undefined) {
      for await (const part of readAll({ resource, wrongs: context.wrongs }, namespace, watch.selection)) {
        from = part.revision;
        if (part.entries.length > 0) yield part.entries.map((entry) => line('ADDED', present.one(entry))).join('');
      }
      if (watch.closeInitial) yield line('BOOKMARK', present.bookmark(from!, INITIAL_EVENTS_END));
    }
    // What is there has been shown: the beginning is over.
    yield '';
    const prefix = exactKey(resource, namespace, watch.selection) ?? prefixOf(resource, namespace);
    const batches = resource.store.watch(prefix, from!, signal)[Symbol.asyncIterator]();
    let pending = batches.next();
    let delivered = from!;
    let noted = resource.store.revision();
    for (;;) {
      const bell = watch.bookmarks ? ring(context, BOOKMARK_MS) : undefined;
      const next = await (bell ? Promise.race([pending, bell.rung]) : pending);
      bell?.stop();
      if (next === undefined) {
        // Noted a whole interval ago: everything up to it has been delivered since.
        delivered = Math.max(delivered, noted);
        noted = resource.store.revision();
        yield line('BOOKMARK', present.bookmark(delivered));
        continue;
      }
      if (next.done) return;
      delivered = next.value.revision;
      const lines = batchLines(context, watch, next.value);
      if (lines !== '') yield lines;
      pending = batches.next();
    }
  } catch (thrown) {
    const error = PlumbError.from(thrown, 'watch');
    // A client that fell behind, or whose server ends, goes on from the last revision it saw.
    if (error.reason === 'SlowWatcher' || error.reason === 'StoreUnavailable') return;
    yield line('ERROR', JSON.stringify(statusOf(error)));
  }
}

function batchLines(context: ApiContext, watch: Watch, batch: WatchBatch): string {
  const exact = exactKey(watch.resource, watch.namespace, watch.selection);
  const suffix = watch.selection.name === undefined ? undefined : `/${watch.selection.name}`;
  let lines = '';
  for (const change of batch.changes) {
    if (exact === undefined ? suffix !== undefined && !change.key.endsWith(suffix) : change.key !== exact) continue;
    lines += changeLine(context, watch, change, batch.revision);
  }
  return lines;
}

/** An object that begins to match is ADDED, one that ceases to is DELETED, whatever happened to it. */
function changeLine(
  { wrongs }: ApiContext,
  { resource, selection, present }: Watch,
  { key, value, previous }: Change,
  revision: number,
): string {
  const selected = (text: string | undefined) => {
    if (text === undefined) return undefined;
    const entry = readable(wrongs, resource, { key, value: text, revision }, revision);
    return (selection.matches?.(decodeObject(entry)) ?? true) ? entry : undefined;
  };
  const now = selected(value);
  const before = selected(previous);
  if (now) return line(before ? 'MODIFIED' : 'ADDED', present.one(now));
  return before ? line('DELETED', present.one(before)) : '';
}

function line(type: string, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

/** The request's signal, with the time limit of the watch: where the client names none, spread, so that clients do not come back together. */
function limited(context: ApiContext, timeoutSeconds: number, request: AbortSignal): AbortSignal {
  const { clock, random } = context.ambient;
  const asked = timeoutSeconds * 1000;
  const limit = asked > 0 ? asked : context.limits.watchSeconds * 1000 * (1 + random.next());
  const end = new AbortController();
  const stop = clock.after(limit, () => end.abort());
  request.addEventListener('abort', stop, { once: true });
  return AbortSignal.any([request, end.signal]);
}

function ring(context: ApiContext, ms: number): { rung: Promise<undefined>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { rung: promise, stop: context.ambient.clock.after(ms, () => resolve(undefined)) };
}
