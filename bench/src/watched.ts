import type { PlumbObject } from '@plumb/schemas';
import type { HttpsClient } from './https-client.ts';

interface WatchLine {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: PlumbObject & { message?: string };
}

/** A collection of objects as a client sees it: listed once, then watched. */
export class Watched {
  readonly #objects = new Map<string, PlumbObject>();
  #failure: Error | undefined;
  #check: (() => void) | undefined;
  #end: () => void = () => {};

  /** `path`: of the collection, e.g. `/apis/plumb.dev/v1/hosts`. */
  static async open(client: HttpsClient, path: string): Promise<Watched> {
    const list = JSON.parse(await client.expect(200, 'GET', path)) as {
      metadata: { resourceVersion: string };
      items: PlumbObject[];
    };
    const watched = new Watched();
    for (const item of list.items) watched.#objects.set(item.metadata.name, item);
    const query = `watch=1&resourceVersion=${list.metadata.resourceVersion}`;
    watched.#end = await client.stream(
      `${path}?${query}`,
      (line) => watched.#take(line),
      (why) => watched.#fail(why),
    );
    return watched;
  }

  get objects(): ReadonlyMap<string, PlumbObject> {
    return this.#objects;
  }

  /**
   * Resolves in the turn in which `done` holds. `done` is asked after every change. Rejects when the watch breaks, or
   * after `patienceMs`, with what `missing` says.
   */
  until(done: () => boolean, missing: () => string, patienceMs = 120_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#check = undefined;
        settle();
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`after ${patienceMs / 1000} s: ${missing()}`))),
        patienceMs,
      );
      this.#check = () => {
        if (this.#failure) finish(() => reject(this.#failure));
        else if (done()) finish(resolve);
      };
      this.#check();
    });
  }

  close(): void {
    this.#end();
  }

  #take(line: string): void {
    const { type, object } = JSON.parse(line) as WatchLine;
    if (type === 'ERROR') this.#fail(new Error(`the watch ended: ${object.message ?? line}`));
    else if (type === 'DELETED') this.#objects.delete(object.metadata.name);
    else if (type !== 'BOOKMARK') this.#objects.set(object.metadata.name, object);
    this.#check?.();
  }

  #fail(why: Error): void {
    this.#failure = why;
    this.#check?.();
  }
}

/** Ready of its present generation. */
export function isReady({ metadata, status }: PlumbObject): boolean {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
  return ready?.status === 'True' && status?.observedGeneration === metadata.generation;
}

/** What the objects that are not ready say. */
export function whyNotReady(objects: Iterable<PlumbObject>): string {
  const waiting = [...objects].filter((object) => !isReady(object));
  const first = waiting[0];
  if (!first) return 'all are ready';
  const ready = first.status?.conditions?.find((condition) => condition.type === 'Ready');
  const says = ready ? `${ready.reason}: ${ready.message}` : 'nothing yet';
  return `${waiting.length} are not ready; ${first.kind} ${first.metadata.name} says ${says}`;
}
