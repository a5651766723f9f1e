import { isDeepStrictEqual } from 'node:util';
import type { LiveResource, ResourceRef, ResourceType } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import type { DriverChange } from '../driver.ts';

export interface Survey {
  resources: LiveResource[];
  /** Keys of what may be there and could not be looked at. */
  unseen?: readonly string[];
}

/**
 * What the driver last knew of its resources, and who wants to hear of changes. A survey of the host takes a while, and
 * resources change under it by our own hand: what was touched since a survey began is left as the touch said.
 */
export class Ledger {
  readonly #known = new Map<string, LiveResource>();
  readonly #busy = new Map<string, number>();
  readonly #touched = new Map<string, number>();
  readonly #listeners = new Set<(change: DriverChange) => void>();
  #moment = 0;
  #surveys = 0;

  list(): LiveResource[] {
    return [...this.#known.values()];
  }

  get(ref: ResourceRef): LiveResource | undefined {
    return this.#known.get(resourceKey(ref));
  }

  listen(listener: (change: DriverChange) => void): () => void {
    const own = (change: DriverChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(change: DriverChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Marks the resource as being worked on until `work` has ended: surveys pass it over. */
  async during<T>(ref: { kind: ResourceType; id: string }, work: () => Promise<T>): Promise<T> {
    const key = resourceKey(ref);
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#busy.get(key) ?? 1) - 1;
      if (left === 0) this.#busy.delete(key);
      else this.#busy.set(key, left);
      this.#touch(key);
    }
  }

  /** What the resource is now, by someone who has it to himself. Tells it, also when nothing changed. */
  put(resource: LiveResource): void {
    this.#touch(resourceKey(resource));
    this.#known.set(resourceKey(resource), resource);
    this.tell({ type: 'changed', resource });
  }

  /** What the resource is found to be. Tells it only if that is news. */
  note(resource: LiveResource): void {
    if (!isDeepStrictEqual(this.#known.get(resourceKey(resource)), resource)) this.put(resource);
  }

  /** The resource is no more. */
  drop(ref: { kind: ResourceType; id: string }): void {
    const key = resourceKey(ref);
    this.#touch(key);
    const resource = this.#known.get(key);
    if (resource === undefined) return;
    this.#known.delete(key);
    this.tell({ type: 'removed', kind: resource.kind, id: resource.id, owner: resource.owner });
  }

  /**
   * Looks at all resources of some kinds, and tells what differs from what was known. Of what is `unseen` (resourceKeys) nothing
   * is known anew.
   */
  async survey(kinds: readonly ResourceType[], look: () => Promise<Survey>): Promise<void> {
    this.#moment += 1;
    const began = this.#moment;
    this.#surveys += 1;
    try {
      this.#compare(kinds, began, await look());
    } finally {
      this.#surveys -= 1;
      if (this.#surveys === 0) this.#touched.clear();
    }
  }

  #compare(kinds: readonly ResourceType[], began: number, { resources, unseen = [] }: Survey): void {
    const found = new Map(resources.map((resource) => [resourceKey(resource), resource]));
    const hidden = new Set(unseen);
    const stale = (key: string) => this.#busy.has(key) || (this.#touched.get(key) ?? 0) >= began || hidden.has(key);
    for (const [key, resource] of found)
      if (!stale(key) && !isDeepStrictEqual(this.#known.get(key), resource)) {
        this.#known.set(key, resource);
        this.tell({ type: 'changed', resource });
      }
    for (const [key, resource] of this.#known)
      if (kinds.includes(resource.kind) && !found.has(key) && !stale(key)) {
        this.#known.delete(key);
        this.tell({ type: 'removed', kind: resource.kind, id: resource.id, owner: resource.owner });
      }
  }

  #touch(key: string): void {
    this.#touched.set(key, this.#moment);
  }
}
