import type { LiveResource, OpaqueResource } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import { isStray, NOTHING_OPAQUE } from './live-host.ts';
import { linesIn, type ShortLines } from './short-lines.ts';

/** What a host tells of everything that lives on it, in parts: kept as short as it will be when the last one has come. */
export class SnapshotParts {
  /** By the uid of the owner. */
  readonly texts = new Map<string, string>();
  /** As `LiveHost.strays`, with the uids of owners. */
  readonly strays = new Map<string, string>();
  /** As `LiveHost.opaque`. */
  opaque: ReadonlyMap<string, OpaqueResource> = NOTHING_OPAQUE;
  readonly #lines: ShortLines;
  readonly #source: object;
  /** Of which owner each resource was said to be. */
  readonly #owners = new Map<string, string>();
  #bytes = 0;
  #written = 0;
  /** How many resources an owner has had that has most. */
  mostOfOne = 0;

  /** `source`: who tells it, as ShortLines tells them apart. */
  constructor(lines: ShortLines, source: object) {
    this.#lines = lines;
    this.#source = source;
  }

  get resourceCount(): number {
    return this.#owners.size + this.opaque.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of several with one identity the last counts. Returns how many characters were written for it. */
  add(resources: readonly LiveResource[]): number {
    this.#written = 0;
    const byOwner = new Map<string, LiveResource[]>();
    for (const resource of new Map(resources.map((each) => [resourceKey(each), each])).values()) {
      const key = resourceKey(resource);
      const before = this.#owners.get(key);
      if (before !== undefined && before !== resource.owner)
        this.#put(before, this.#lines.without(before, this.texts.get(before)!, resource, this.#source));
      this.#owners.set(key, resource.owner);
      if (isStray(resource)) this.strays.set(key, resource.owner);
      else this.strays.delete(key);
      const own = byOwner.get(resource.owner);
      if (own) own.push(resource);
      else byOwner.set(resource.owner, [resource]);
    }
    for (const [owner, own] of byOwner)
      this.#put(owner, this.#lines.with(owner, this.texts.get(owner), own, this.#source));
    return this.#written;
  }

  addOpaque(resources: readonly OpaqueResource[]): void {
    if (resources.length > 0) this.opaque = withAll(this.opaque, resources);
  }

  #put(owner: string, text: string | undefined): void {
    this.#bytes += (text?.length ?? 0) - (this.texts.get(owner)?.length ?? 0);
    if (text === undefined) this.texts.delete(owner);
    else {
      this.texts.set(owner, text);
      this.#written += text.length;
      this.mostOfOne = Math.max(this.mostOfOne, linesIn(text));
    }
  }
}

/** These, and others that were there. */
export function withAll(
  before: ReadonlyMap<string, OpaqueResource>,
  resources: readonly OpaqueResource[],
): ReadonlyMap<string, OpaqueResource> {
  return new Map([...before, ...resources.map((each) => [resourceKey(each), each] as const)]);
}
