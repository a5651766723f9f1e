/** Following several objects until each has come to an end: ready, failed, gone. */
import { type Clock, PlumbError, type PlumbObject } from '@plumb/schemas';
import { type ApiClient, ApiError } from './client.ts';
import type { Manifest } from './manifests.ts';
import { collectionPath } from './resources.ts';

export type Target = Pick<Manifest, 'resource' | 'namespace' | 'name'>;

/** Before a watch that broke off is begun again. */
const AGAIN_MS = 500;

export interface Following<T extends Target> {
  client: ApiClient;
  clock: Clock;
  timeoutMs: number;
  targets: readonly T[];
  /** Told of what is known of a target, each time it changes; undefined: it is not there. True: it is at its end. */
  seen(target: T, object: PlumbObject | undefined): boolean;
}

/** Resolves with the targets that have not come to their end within the time. */
export async function follow<T extends Target>(following: Following<T>): Promise<T[]> {
  const { client, clock, targets } = following;
  const open = new Set(targets);
  const end = new AbortController();
  const stop = clock.after(following.timeoutMs, () => end.abort());
  const collections = Map.groupBy(targets, ({ resource, namespace }) => collectionPath(resource, namespace));
  try {
    await Promise.all(
      [...collections].map(([path, members]) =>
        followCollection(
          client,
          clock,
          path,
          end.signal,
          (name, object) => {
            for (const target of members) {
              if (target.name === name && open.has(target) && following.seen(target, object)) open.delete(target);
            }
            return members.some((target) => open.has(target));
          },
          () => members.filter((target) => open.has(target)).map(({ name }) => name),
        ),
      ),
    );
  } finally {
    end.abort();
    stop();
  }
  return [...open];
}

/** Watches until `tell` says that nobody wants to know more. */
async function followCollection(
  client: ApiClient,
  clock: Clock,
  path: string,
  signal: AbortSignal,
  tell: (name: string, object: PlumbObject | undefined) => boolean,
  wanted: () => string[],
): Promise<void> {
  const query = '?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  while (!signal.aborted) {
    const there = new Set<string>();
    let complete = false;
    let again = AGAIN_MS;
    try {
      for await (const { type, object } of client.watch(path + query, signal)) {
        if (type === 'BOOKMARK') {
          if (complete) continue;
          complete = true;
          // What did not come with the beginning is not there.
          for (const name of wanted()) if (!there.has(name)) tell(name, undefined);
          if (wanted().length === 0) return;
          continue;
        }
        there.add(object.metadata.name);
        if (!tell(object.metadata.name, type === 'DELETED' ? undefined : object)) return;
      }
    } catch (error) {
      if (error instanceof ApiError) again = error.retryAfterMs ?? AGAIN_MS;
      if (error instanceof ApiError && error.status < 500 && ![410, 429].includes(error.status)) throw error;
      if (PlumbError.from(error, 'watch').retry === 'terminal' && !(error instanceof ApiError)) throw error;
    }
    if (!signal.aborted) await pause(clock, again, signal);
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = clock.after(ms, resolve);
  signal.addEventListener('abort', () => {
    stop();
    resolve();
  });
  return promise;
}
