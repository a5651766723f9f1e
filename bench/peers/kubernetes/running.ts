import type { PeerClient } from '../client.ts';
import { PODS } from './objects.ts';

/** Only names and the like of objects: the least that tells that a pod has got so far. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

interface WatchLine {
  type: string;
  object: { metadata: { name: string; resourceVersion: string }; message?: string };
}

/** When each pod was first seen Running, by a watch that shows nothing else. */
export class Running {
  /** By name; milliseconds of performance.now(). */
  readonly at = new Map<string, number>();
  readonly #client: PeerClient;
  #version: string;
  #waiting: { count: number; done: PromiseWithResolvers<void> } | undefined;
  #end: () => void = () => {};
  #closed = false;

  /** Watches from now on. */
  static async open(client: PeerClient): Promise<Running> {
    const list = await client.json<{ metadata: { resourceVersion: string } }>('GET', `${PODS}?limit=1`);
    const running = new Running(client, list.metadata.resourceVersion);
    await running.#watch();
    return running;
  }

  private constructor(client: PeerClient, version: string) {
    this.#client = client;
    this.#version = version;
  }

  /** Resolves when `count` pods were seen Running. */
  async until(count: number, patienceMs: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    const late = () => done.reject(new Error(`after ${patienceMs / 1000} s ${this.at.size} of ${count} pods run`));
    const giveUp = setTimeout(late, patienceMs);
    this.#waiting = { count, done };
    try {
      await done.promise;
    } finally {
      clearTimeout(giveUp);
    }
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  /**
   * The API server ends the watches that it finds slow when it is busy itself, which its own clients take up again where
   * they were; so does this.
   */
  async #watch(): Promise<void> {
    this.#end = await this.#client.lines(
      `${PODS}?watch=1&fieldSelector=status.phase%3DRunning&resourceVersion=${this.#version}`,
      METADATA_ONLY,
      (line) => this.#line(JSON.parse(line) as WatchLine),
      () => this.#watch().catch((error) => this.#waiting?.done.reject(error)),
    );
    if (this.#closed) this.#end();
  }

  #line({ type, object }: WatchLine): void {
    if (type === 'ERROR') this.#waiting?.done.reject(new Error(`the watch ended: ${object.message}`));
    else this.#version = object.metadata.resourceVersion;
    if (type !== 'ADDED' && type !== 'MODIFIED') return;
    if (!this.at.has(object.metadata.name)) this.at.set(object.metadata.name, performance.now());
    if (this.at.size === this.#waiting?.count) this.#waiting.done.resolve();
  }
}
