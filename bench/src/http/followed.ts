import { conditionOf, settled } from '@plumb/client/settled.ts';
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

/** How often a watch that the server ended is opened again, from where it was: as every client of this API must. */
const TRIES = 20;

/** A collection of objects as a client sees it change. A change may be told twice. */
export class Followed {
  readonly #client: HttpsClient;
  readonly #path: string;
  readonly #take: (change: Change) => void;
  readonly #worth: (line: string) => boolean;
  /** Where the watch goes on: a revision, or the last line that was seen, which holds one. */
  #from: { revision: string } | { line: string };
  #tries = 0;
  #closed = false;
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
    const followed = new Followed({ client, path, take, worth, revision: list.metadata.resourceVersion });
    if (listed) for (const object of list.items) take({ type: 'ADDED', object });
    await followed.#watch();
    return followed;
  }

  private constructor(options: {
    client: HttpsClient;
    path: string;
    take: (change: Change) => void;
    worth: (line: string) => boolean;
    revision: string;
  }) {
    this.#client = options.client;
    this.#path = options.path;
    this.#take = options.take;
    this.#worth = options.worth;
    this.#from = { revision: options.revision };
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
    this.#closed = true;
    this.#end();
  }

  async #watch(): Promise<void> {
    const revision = 'revision' in this.#from ? this.#from.revision : revisionIn(this.#from.line);
    this.#end = await this.#client.stream(
      `${this.#path}?watch=1&resourceVersion=${revision}`,
      (line) => this.#line(line),
      (why) => this.#again(why),
    );
    if (this.#closed) this.#end();
  }

  /** The server ends watches of clients that cannot follow; on a busy machine this one is such a client. */
  #again(why: Error): void {
    if (this.#closed) return;
    if (++this.#tries > TRIES) this.#fail(why);
    else this.#watch().catch((error: Error) => this.#fail(error));
  }

  #line(line: string): void {
    const failed = line.startsWith('{"type":"ERROR"');
    if (!failed) this.#from = { line };
    if (!this.#worth(line) && !failed) return;
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

/** The one before the line's: several changes may have been committed as one, and not all of them been seen. */
function revisionIn(line: string): string {
  return String(Number((JSON.parse(line) as Change).object.metadata.resourceVersion) - 1);
}

/** Ready of its present generation. */
export function isReady(object: PlumbObject): boolean {
  return settled(object).state === 'ready';
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
  const ready = conditionOf(first, 'Ready');
  return `${first.kind} ${first.metadata.name} says ${ready ? `${ready.reason}: ${ready.message}` : 'nothing yet'}`;
}
