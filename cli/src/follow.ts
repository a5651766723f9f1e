/** Following several objects until each has come to an end: ready, failed, gone. */
import type { Client } from '@plumb/client/client.ts';
import { follow as followCollection } from '@plumb/client/follow.ts';
import type { Clock, PlumbObject } from '@plumb/schemas';
import type { Manifest } from './manifests.ts';
import { collectionPath } from './resources.ts';

export type Target = Pick<Manifest, 'resource' | 'namespace' | 'name'>;

export interface Following<T extends Target> {
  client: Client;
  clock: Clock;
  timeoutMs: number;
  targets: readonly T[];
  /** Ends it early. */
  stop?: AbortSignal;
  /** Told of what is known of a target, each time it changes; undefined: it is not there. True: it is at its end. */
  seen(target: T, object: PlumbObject | undefined): boolean;
}

/** Resolves with the targets that have not come to their end within the time. */
export async function follow<T extends Target>(following: Following<T>): Promise<T[]> {
  const { client, clock, targets } = following;
  const open = new Set(targets);
  const end = new AbortController();
  const stop = clock.after(following.timeoutMs, () => end.abort());
  const interrupt = () => end.abort();
  following.stop?.addEventListener('abort', interrupt, { once: true });
  if (following.stop?.aborted) end.abort();
  const collections = Map.groupBy(targets, ({ resource, namespace }) => collectionPath(resource, namespace));
  const one = async ([path, members]: [string, T[]]) => {
    const names = () => members.filter((target) => open.has(target)).map(({ name }) => name);
    const see = (name: string, object: PlumbObject | undefined): true | undefined => {
      for (const target of members)
        if (target.name === name && open.has(target) && following.seen(target, object)) open.delete(target);
      return members.some((target) => open.has(target)) ? undefined : true;
    };
    await followCollection(client, { path, names, see }, end.signal).catch((error) => {
      // What is still open then is late.
      if (!end.signal.aborted) throw error;
    });
  };
  try {
    await Promise.all([...collections].map(one));
  } finally {
    end.abort();
    stop();
    following.stop?.removeEventListener('abort', interrupt);
  }
  return [...open];
}
