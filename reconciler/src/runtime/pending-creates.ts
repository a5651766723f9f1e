/**
 * Objects that clients are making (cf. schemas/src/meta/pending.ts). What its maker does not renew is taken back; what may have been handed
 * over stays, to be found by the configuration that made it, if that has a name. Time is this process's own: a restart begins it anew.
 *
 *   const pending = new PendingCreates({ store, clock, limits, onTaken, onError });
 *   pending.start(signal);
 *   pending.note(key, text); // of every object, and each time that one changes
 */
import { type Clock, PlumbError, type PlumbObject } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { PENDING, type Pending, pendingOf, withPending } from '@plumb/schemas/meta/pending.ts';
import { isProtected } from '@plumb/schemas/meta/protection.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { ConflictError } from '../store/errors.ts';
import { decodeObject, encodeObject, isHeld, markedForDeletion, removalOps } from '../store/object-codec.ts';
import type { Store } from '../store/store.ts';

export interface PendingCreatesOptions {
  store: Store;
  clock: Clock;
  limits: Pick<ServerLimits, 'pendingCreateSeconds' | 'leftCreateSeconds'>;
  /** Told of each object that is taken back. */
  onTaken(key: string, mark: Pending): void;
  /** Told of what is tried again. */
  onError(key: string, error: PlumbError): void;
}

interface Waiting {
  text: string;
  stop(): void;
}

/** How long after an error it is tried again. Milliseconds. */
const AGAIN_MS = 1_000;
/** How many times longer what is being handed over is waited for. */
const TOLD = 3;
const WORD = `"${PENDING}"`;

export class PendingCreates {
  readonly #options: PendingCreatesOptions;
  readonly #waiting = new Map<string, Waiting>();
  #signal: AbortSignal | undefined;

  constructor(options: PendingCreatesOptions) {
    this.#options = options;
  }

  /** Until `signal` aborts. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      for (const { stop } of this.#waiting.values()) stop();
      this.#waiting.clear();
    });
  }

  /** Looks at an object as it is stored; undefined: it is gone. Most bear no mark, and are not parsed. */
  note(key: string, text: string | undefined): void {
    const known = this.#waiting.get(key);
    const object = text?.includes(WORD) ? parsed(text) : undefined;
    const mark = object && object.metadata.deletionTimestamp === undefined ? pendingOf(object) : undefined;
    if (!object || !mark) {
      known?.stop();
      this.#waiting.delete(key);
      return;
    }
    const is = `${object.metadata.uid} ${object.metadata.annotations![PENDING]}`;
    if (known?.text === is) return;
    known?.stop();
    this.#wait(key, is, this.#patience(mark));
  }

  #patience({ phase }: Pending): number {
    const { pendingCreateSeconds, leftCreateSeconds } = this.#options.limits;
    if (phase === 'left') return leftCreateSeconds * 1000;
    return pendingCreateSeconds * 1000 * (phase === 'told' ? TOLD : 1);
  }

  #wait(key: string, text: string, ms: number): void {
    if (this.#signal?.aborted) return;
    const stop = this.#options.clock.after(ms, () => void this.#end(key, text));
    this.#waiting.set(key, { text, stop });
  }

  /** Nobody has renewed the mark. */
  async #end(key: string, text: string): Promise<void> {
    try {
      await this.#settle(key, text);
    } catch (thrown) {
      if (this.#signal?.aborted || this.#waiting.get(key)?.text !== text) return;
      if (!(thrown instanceof ConflictError)) this.#options.onError(key, PlumbError.from(thrown, key));
      this.#wait(key, text, thrown instanceof ConflictError ? 0 : AGAIN_MS);
    }
  }

  async #settle(key: string, text: string): Promise<void> {
    const { store, clock, onTaken } = this.#options;
    const entry = await store.get(key);
    const object = parsed(entry?.value);
    const mark = object && pendingOf(object);
    if (!entry || !object || !mark || `${object.metadata.uid} ${object.metadata.annotations![PENDING]}` !== text)
      return;
    const now = clock.now();
    const goes = mark.phase === 'making' && !isProtected(object);
    const next = goes
      ? markedForDeletion(object, timestamp(now))
      : withPending(object, mark.phase === 'told' && mark.stack ? { ...mark, phase: 'left' } : undefined);
    await store.commit({
      preconditions: [{ key, revision: entry.revision }],
      ops: goes && !isHeld(next) ? removalOps(key, next, now) : [{ type: 'put', key, value: encodeObject(next) }],
    });
    if (goes) onTaken(key, mark);
  }
}

function parsed(text: string | undefined): PlumbObject | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeObject({ value: text, revision: 0 });
  } catch {
    // What cannot be read is set aside elsewhere, and nothing is done for it.
    return undefined;
  }
}
