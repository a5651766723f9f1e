/**
 * Objects as a refresh reads them: the first of a collection by itself, the further ones by lists, so that a refresh costs requests per
 * kind and not per resource. What was listed is used once: who reads it again asks anew.
 */
import type { Client } from '@plumb/client/client.ts';
import type { Deadline } from '@plumb/client/deadline.ts';
import { collectionOf, type Reference, readObject } from '@plumb/client/objects.ts';
import type { PlumbObject } from '@plumb/schemas';

const FIRST_PAGE = 200;
const PAGE = 1_000;
/** A collection with more objects than this is not listed: few of them may be Terraform's. */
const MOST_LISTED = 20_000;

type Listed = Map<string, PlumbObject>;

export class Reads {
  /** By path of the collection: undefined as long as one was read of it. */
  readonly #lists = new Map<string, Promise<Listed> | undefined>();

  /** The object, or undefined when there is none of that name. Throws what the client throws. */
  async read(client: Client, ref: Reference, limit: Deadline): Promise<PlumbObject | undefined> {
    const path = collectionOf(ref);
    if (!this.#lists.has(path)) {
      this.#lists.set(path, undefined);
      return readObject(client, ref, limit);
    }
    const list = this.#lists.get(path) ?? listOf(client, path);
    this.#lists.set(path, list);
    const listed = await list;
    const found = listed.get(ref.name);
    listed.delete(ref.name);
    // One that is not in the list may be new.
    return found ?? readObject(client, ref, limit);
  }

  /** What was listed is old: something is written. */
  forget(): void {
    this.#lists.clear();
  }
}

/** How long lists may take, in milliseconds. */
const LIST_MS = 60_000;

/** Empty where it cannot be listed, or is too large: each object is read by itself then. */
async function listOf(client: Client, path: string): Promise<Listed> {
  const listed: Listed = new Map();
  const limit = client.deadline(LIST_MS);
  try {
    for (let next: string | undefined = '', size = FIRST_PAGE; next !== undefined; size = PAGE) {
      const query = new URLSearchParams({ limit: String(size), ...(next === '' ? {} : { continue: next }) });
      const { items, metadata, apiVersion, kind } = await client.json(
        { method: 'GET', path: `${path}?${query}` },
        limit,
      );
      if ((metadata?.remainingItemCount ?? 0) > MOST_LISTED) return new Map();
      // Lists of Kubernetes' own kinds leave out what all items have in common.
      const common = { apiVersion, kind: String(kind).replace(/List$/, '') };
      for (const item of items as PlumbObject[]) listed.set(item.metadata.name, { ...common, ...item });
      next = metadata?.continue || undefined;
    }
    return listed;
  } catch {
    return new Map();
  } finally {
    limit.end();
  }
}
