/** Whether an Image is what it declares: one host fetches it and looks. */
import { type Image, PlumbError } from '@plumb/schemas';
import { isBlocked } from '../../fleet/troubles.ts';
import { imageResource } from '../../plan/network-resources.ts';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition, isReady, isStalled } from '../../runtime/conditions.ts';
import type { Again, Context } from '../controller.ts';
import { converge } from '../converge.ts';
import { keyWatch } from '../key-watch.ts';
import { unfitError } from '../restriction.ts';
import { RETRY_ANNOTATION } from '../retry.ts';
import { failedStatus, readyStatus, writeStatus } from '../status.ts';
import { Telling, withoutFetching } from './telling.ts';

/** Failures of what was fetched, which are the same on every host. */
const OF_CONTENT: ReadonlySet<string> = new Set(['ChecksumMismatch', 'ImageInvalid', 'ImageTooLarge', 'ImageTooSlow']);

/** A failure that only a change of an input cures. */
interface Refusal {
  inputs: string;
  reason: string;
  /** Where; undefined when an earlier control plane saw it. */
  host: string | undefined;
}

export class Verification {
  readonly #context: Context;
  readonly #refusals = new Map<string, Refusal>();

  constructor(context: Context) {
    this.#context = context;
    context.fleet.onChange((change) => {
      if (change.type === 'host') this.#hostChanged(change.host);
    });
  }

  forget(uid: string): void {
    this.#refusals.delete(uid);
  }

  /**
   * Ready means: a host has fetched it and found the sum right. While there is no host, nobody can know yet. What was
   * checked stays checked, whichever hosts come and go, until another file is declared; what was refused stays refused until
   * something changes.
   */
  async verify(cached: Cached<Image>): Promise<Again | undefined> {
    const context = this.#context;
    if (isReady(cached.object) && findCondition(cached.object, 'Ready')?.reason === 'Verified') return undefined;
    const { uid } = cached.object.metadata;
    const on = whereWhole(context, uid, cached.object.spec.sha256);
    const host = on ?? firstUsableHost(context);
    if (on === undefined && this.#isRefused(cached, host)) return undefined;
    if (host === undefined) {
      await this.#ready(cached, 'Unverified', 'no host has fetched it yet; the first that connects checks it');
      return undefined;
    }
    if (on === undefined && (await this.#fetch(cached, host)) === 'given up') return { requeueAfterMs: 0 };
    this.#refusals.delete(uid);
    await this.#ready(cached, 'Verified', `its checksum was verified on host ${host}`);
    return undefined;
  }

  /** Has the host fetch it. Given up as soon as the image is declared otherwise or deleted. Throws what the host says. */
  async #fetch(cached: Cached<Image>, host: string): Promise<'done' | 'given up'> {
    const context = this.#context;
    const { uid, generation } = cached.object.metadata;
    const abort = new AbortController();
    const endWatch = keyWatch(context).on([cached.key], () => {
      const now = context.cache.get(cached.key)?.object.metadata;
      if (now?.uid !== uid || now.deletionTimestamp !== undefined || now.generation !== generation) abort.abort();
    });
    const telling = new Telling(context, cached, host);
    const attention = { signal: abort.signal, onProgress: telling.note.bind(telling) };
    try {
      const steps = [{ host, live: undefined, desired: imageResource(cached.object) }];
      await converge(context, uid, cached.revision, steps, attention);
      return abort.signal.aborted ? 'given up' : 'done';
    } catch (thrown) {
      await telling.end();
      if (abort.signal.aborted) return 'given up';
      throw await this.#failed(cached, host, PlumbError.from(thrown, `fetching ${cached.key}`));
    } finally {
      endWatch();
      await telling.end();
    }
  }

  async #ready(cached: Cached<Image>, reason: string, message: string): Promise<void> {
    const context = this.#context;
    await writeStatus(context, context.cache.get(cached.key) ?? cached, (status, object) =>
      withoutFetching(readyStatus(context, status, object, reason, message)),
    );
  }

  /** Says so, and remembers it where only a change helps. */
  async #failed(cached: Cached<Image>, host: string, error: PlumbError): Promise<PlumbError> {
    const context = this.#context;
    const { reason, retry } = error;
    const told = OF_CONTENT.has(reason) ? error.message : `${error.message} (host ${host})`;
    const failure = new PlumbError({ reason, message: told, retry, cause: error });
    if (retry === 'terminal')
      this.#refusals.set(cached.object.metadata.uid, { inputs: inputsOf(cached), reason, host });
    await writeStatus(context, context.cache.get(cached.key) ?? cached, (status, object) =>
      withoutFetching(failedStatus(context, status, object, failure)),
    );
    return failure;
  }

  /** Whether it was refused, and nothing has changed since that could make it otherwise. */
  #isRefused(cached: Cached<Image>, host: string | undefined): boolean {
    const { uid } = cached.object.metadata;
    const inputs = inputsOf(cached);
    const stalled = isStalled(cached.object) ? findCondition(cached.object, 'Stalled')?.reason : undefined;
    if (!this.#refusals.has(uid) && stalled !== undefined && OF_CONTENT.has(stalled))
      this.#refusals.set(uid, { inputs, reason: stalled, host: undefined });
    const refusal = this.#refusals.get(uid);
    if (refusal?.inputs !== inputs) return false;
    return OF_CONTENT.has(refusal.reason) || (host !== undefined && refusal.host === host);
  }

  /** Its agent may allow other sources now, or have the file, or the user who fetches. */
  #hostChanged(host: string): void {
    for (const [uid, refusal] of this.#refusals)
      if (refusal.host === host && !OF_CONTENT.has(refusal.reason)) this.#refusals.delete(uid);
  }
}

function inputsOf({ object }: Cached<Image>): string {
  return `${object.metadata.generation} ${object.metadata.annotations?.[RETRY_ANNOTATION] ?? ''}`;
}

/** A host that has the file as it was made. */
function whereWhole(context: Context, uid: string, sha256: string): string | undefined {
  for (const { host, resource } of context.fleet.ownedBy(uid))
    if (resource.id === sha256 && resource.drift.length === 0) return host;
  return undefined;
}

/** The first connected host by name whose Host object is declared and that may get something new; one that may not, if there is no other. */
function firstUsableHost(context: Context): string | undefined {
  const names = [...context.cache.list('hosts')]
    .filter(({ object }) => !object.metadata.deletionTimestamp && context.liveness.connected(object.metadata.name))
    .map(({ object }) => object.metadata.name);
  names.sort();
  const isFit = (name: string) => unfitError(context, name) === undefined && !isBlocked(context.fleet.host(name)!);
  return names.find(isFit) ?? names[0];
}
