import { type Image, shownUrl } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { withoutCondition } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';
import { conditionsTo, type Status, writeStatus } from '../status.ts';

/** A fetch that takes longer than this says so. */
const SILENT_MS = 1_000;
/** How far it is, is a write of its own each time. */
const PROGRESS_EVERY_MS = 10_000;
const MIB = 1024 ** 2;

/** Says in conditions that a fetch is under way, and how far it is; in one of its own, so that who waits is not woken by it. */
export class Telling {
  readonly #context: Context;
  readonly #cached: Cached<Image>;
  readonly #host: string;
  #progress: { bytes: number; ofBytes: number | undefined } | undefined;
  #told = '';
  #stop: () => void;
  #telling: Promise<void> = Promise.resolve();

  constructor(context: Context, cached: Cached<Image>, host: string) {
    this.#context = context;
    this.#cached = cached;
    this.#host = host;
    this.#stop = context.ambient.clock.after(SILENT_MS, () => this.#again());
  }

  note(progress: { bytes: number; ofBytes: number | undefined }): void {
    this.#progress = progress;
  }

  /** Resolves when nothing more is written. */
  async end(): Promise<void> {
    this.#stop();
    await this.#telling;
  }

  #again(): void {
    this.#stop = this.#context.ambient.clock.after(PROGRESS_EVERY_MS, () => this.#again());
    const far = progressWords(this.#host, this.#progress);
    if (far === this.#told) return;
    this.#told = far;
    this.#telling = this.#tell(far);
  }

  async #tell(far: string): Promise<void> {
    const context = this.#context;
    const latest = context.read.get<Image>(this.#cached.key);
    if (!latest) return;
    const message = `host ${this.#host} fetches ${shownUrl(this.#cached.object.spec.url)}`;
    await writeStatus(context, latest, (status, object) =>
      conditionsTo(
        context,
        status,
        object,
        [
          { type: 'Ready', status: 'False', reason: 'Fetching', message },
          { type: 'Fetching', status: 'True', reason: 'Fetching', message: far },
        ],
        ['Stalled'],
      ),
    ).catch(() => undefined); // Only a word on the way: what comes of it is written in any case.
  }
}

function progressWords(host: string, progress: { bytes: number; ofBytes: number | undefined } | undefined): string {
  if (progress === undefined) return `host ${host} has no byte of it yet`;
  const all = progress.ofBytes === undefined ? '' : ` of ${Math.ceil(progress.ofBytes / MIB)}`;
  return `host ${host} has ${Math.floor(progress.bytes / MIB)}${all} MiB of it`;
}

/** The status when no fetch is under way any more. */
export function withoutFetching(status: Status): Status {
  return { ...status, conditions: withoutCondition(status.conditions, 'Fetching') };
}
