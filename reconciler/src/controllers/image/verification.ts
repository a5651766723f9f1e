/** Whether an Image is what it declares: a host fetches it and looks. What one host says of it is that host's word. */
import type { Image, PlumbError } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition, isReady, isStalled } from '../../runtime/conditions.ts';
import type { Again, Context } from '../controller.ts';
import { whereWhole } from '../image-files.ts';
import { keyWatch } from '../key-watch.ts';
import { RETRY_ANNOTATION } from '../retry.ts';
import { failedStatus, readyStatus, writeStatus } from '../status.ts';
import { Attempt, type Outcome } from './attempt.ts';
import { usableHosts } from './hosts.ts';
import { imageResource } from './resources.ts';
import { OF_CONTENT, Statements } from './statements.ts';
import { withoutFetching } from './telling.ts';

/** Hosts that fetch the same image at once, since those that were asked before them say nothing or take long. */
const AT_ONCE = 3;

export class Verification {
  readonly #context: Context;
  readonly #statements = new Map<string, Statements>();

  constructor(context: Context) {
    this.#context = context;
    context.fleet.onChange((change) => {
      if (change.type === 'host')
        for (const statements of this.#statements.values()) statements.hostChanged(change.host);
    });
  }

  forget(uid: string): void {
    this.#statements.delete(uid);
  }

  /**
   * Ready means: a host has fetched it and found the sum right. While there is no host, nobody can know yet. What was
   * checked stays checked, whichever hosts come and go, until another file is declared; what two hosts refused, or one where
   * there is no other, stays refused until something changes.
   */
  async verify(cached: Cached<Image>): Promise<Again | undefined> {
    const context = this.#context;
    if (isReady(cached.object) && findCondition(cached.object, 'Ready')?.reason === 'Verified') return undefined;
    const { uid } = cached.object.metadata;
    const statements = this.#statementsOn(cached);
    let host = whereWhole(context, uid, cached.object.spec.sha256);
    if (host === undefined) {
      const hosts = statements.order(usableHosts(context));
      if (hosts.length === 0) {
        if (statements.isEmpty && !isRefused(cached))
          await this.#ready(cached, 'Unverified', 'no host has fetched it yet; the first that connects checks it');
        return undefined;
      }
      const outcome = await this.#fetch(cached, hosts, statements);
      if (outcome === 'given up') return { requeueAfterMs: 0 };
      host = outcome;
    }
    this.#statements.delete(uid);
    await this.#ready(cached, 'Verified', `its checksum was verified on host ${host}`);
    return undefined;
  }

  /**
   * Has hosts fetch it, one after another: the next when one fails, or beside those that say nothing or take long. Resolves with the
   * first that has it. Given up as soon as the image is declared otherwise or deleted. Throws what hosts say.
   */
  async #fetch(cached: Cached<Image>, hosts: readonly string[], statements: Statements): Promise<string | 'given up'> {
    const context = this.#context;
    const { uid, generation } = cached.object.metadata;
    const attempts = new Set<Attempt>();
    let unwanted = false;
    const endWatch = context.own(keyWatch).on([cached.key], () => {
      const now = context.read.get(cached.key)?.object.metadata;
      if (now?.uid === uid && now.deletionTimestamp === undefined && now.generation === generation) return;
      unwanted = true;
      for (const attempt of attempts) attempt.abort();
    });
    const left = [...hosts];
    const failures: PlumbError[] = [];
    let isSlow = false;
    try {
      while (!unwanted && !statements.isFinal) {
        if (left.length > 0 && (attempts.size === 0 || isSlow)) {
          attempts.add(new Attempt(context, cached, left.shift()!, imageResource(cached.object), attempts.size === 0));
          isSlow = false;
        }
        if (attempts.size === 0) break;
        const ended = await firstOf(attempts, left.length > 0 && attempts.size < AT_ONCE);
        isSlow = ended === undefined;
        if (ended === undefined) continue;
        attempts.delete(ended.attempt);
        if (unwanted) break;
        if (ended.error === undefined) return ended.attempt.host;
        failures.push(statements.note(ended.attempt.host, ended.error));
      }
      if (unwanted) return 'given up';
      // Who was refused for good may be wrong: who failed for the moment is asked again.
      const failure = statements.isFinal ? failures.at(-1) : failures.find(({ retry }) => retry === 'retry');
      throw await this.#failed(cached, failure ?? failures.at(-1)!);
    } finally {
      endWatch();
      for (const attempt of attempts) attempt.abort();
      await Promise.all([...attempts].map((attempt) => attempt.quiet()));
    }
  }

  async #ready(cached: Cached<Image>, reason: string, message: string): Promise<void> {
    const context = this.#context;
    await writeStatus(context, context.read.get(cached.key) ?? cached, (status, object) =>
      withoutFetching(readyStatus(context, status, object, reason, message)),
    );
  }

  async #failed(cached: Cached<Image>, failure: PlumbError): Promise<PlumbError> {
    const context = this.#context;
    await writeStatus(context, context.read.get(cached.key) ?? cached, (status, object) =>
      withoutFetching(failedStatus(context, status, object, failure)),
    );
    return failure;
  }

  /** What hosts have said of what is declared now. */
  #statementsOn(cached: Cached<Image>): Statements {
    const { uid } = cached.object.metadata;
    const inputs = inputsOf(cached);
    const before = this.#statements.get(uid);
    if (before?.inputs === inputs) return before;
    // What an earlier control plane wrote is as good as said by two hosts.
    const isKnown = before === undefined && isRefused(cached);
    const statements = new Statements(inputs, isKnown);
    this.#statements.set(uid, statements);
    return statements;
  }
}

/** The attempt that ends first; undefined when one takes so long that another host is to be asked as well. */
async function firstOf(attempts: ReadonlySet<Attempt>, mayAskMore: boolean): Promise<Outcome | undefined> {
  const all = [...attempts];
  const slow = mayAskMore ? [all.at(-1)!.untilSlow()] : [];
  return Promise.race([...all.map((attempt) => attempt.outcome), ...slow]);
}

function isRefused({ object }: Cached<Image>): boolean {
  const stalled = isStalled(object) ? findCondition(object, 'Stalled')?.reason : undefined;
  return stalled !== undefined && OF_CONTENT.has(stalled);
}

function inputsOf({ object }: Cached<Image>): string {
  return `${object.metadata.generation} ${object.metadata.annotations?.[RETRY_ANNOTATION] ?? ''}`;
}
