import type { PlumbObject } from '@plumb/schemas';
import type { HttpsClient } from './client.ts';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: PlumbObject & { message?: string };
}

export interface FollowOptions {
  /** Also what is there already, as changes of type ADDED. Absent: only what changes from now on. */
  listed?: boolean;
  /** Which lines are worth reading, told before they are parsed; all, if absent. */
  worth?: (line: string) => boolean;
}

/** A collection of objects as a client sees it change. */
export class Followed {
  readonly #take: (change: Change) => void;
  readonly #worth: (line: string) => boolean;
  #failure: Error | undefined;
  #check: (() => void) | undefined;
  #end: () => void = () => {};

  /** `path`: of the collection, e.g. `/apis/plumb.dev/v1/hosts`. */
  static async open(
    client: HttpsClient,
    path: string,
    take: (change: Change) => void,
    { listed = false, worth = () => true }: FollowOptions = {},
  ): Promise<Followed> {
    const list = JSON.parse(await client.expect(200, 'GET', listed ? path : `${path}?limit=1`)) as {
      metadata: { resourceVersion: string };
      items: PlumbObject[];
    };
    const followed = new Followed(take, worth);
    if (listed) for (const object of list.items) take({ type: 'ADDED', object });
    followed.#end = await client.stream(
      `${path}?watch=1&resourceVersion=${list.metadata.resourceVersion}`,
      (line) => followed.#line(line),
      (why) => followed.#fail(why),
    );
    return followed;
  }

  private constructor(take: (change: Change) => void, worth: (line: string) => boolean) {
    this.#take = take;
    this.#worth = worth;
  }

  /**
   * Resolves in the turn in which `done` holds. `done` is asked after every change. Rejects when the watch breaks, or
   * after `patienceMs`, with what `missing` says.
   */
  until(done: () => boolean, missing: () => string, patienceMs = 60_000): Promise<void> {
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

  #line(line: string): void {
    if (!this.#worth(line) && !line.startsWith('{"type":"ERROR"')) return;
    const change = JSON.parse(line) as Change;
    if (change.type === 'ERROR') this.#fail(new Error(`the watch ended: ${change.object.message ?? line}`));
    else this.#take(change);
    this.#check?.();
  }

  #fail(why: Error): void {
    this.#failure ??= why;
    this.#check?.();
  }
}

/** Ready of its present generation. */
export function isReady({ metadata, status }: PlumbObject): boolean {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
  return ready?.status === 'True' && status?.observedGeneration === metadata.generation;
}

/** Waits until the collection holds `count` objects and all are ready. */
export async function allReady(client: HttpsClient, path: string, count: number): Promise<void> {
  const waiting = new Map<string, PlumbObject>();
  const ready = new Set<string>();
  const take = ({ object }: Change) => {
    const { name } = object.metadata;
    if (isReady(object)) {
      waiting.delete(name);
      ready.add(name);
    } else waiting.set(name, object);
  };
  const followed = await Followed.open(client, path, take, { listed: true });
  try {
    await followed.until(
      () => waiting.size === 0 && ready.size >= count,
      () => `${ready.size} of ${count} at ${path} are ready; ${whyNotReady(waiting.values())}`,
    );
  } finally {
    followed.close();
  }
}

function whyNotReady(waiting: Iterable<PlumbObject>): string {
  const [first] = waiting;
  if (!first) return 'the others are not there';
  const ready = first.status?.conditions?.find((condition) => condition.type === 'Ready');
  return `${first.kind} ${first.metadata.name} says ${ready ? `${ready.reason}: ${ready.message}` : 'nothing yet'}`;
}
