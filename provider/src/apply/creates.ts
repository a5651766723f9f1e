/**
 * The objects that one session makes, from the request until it is sure that Terraform has them in its state. Each bears a mark at the server
 * (client/src/pending.ts), so that nothing is left that nobody knows of, whoever is killed: Terraform or the shim (we take back what was
 * not handed over), this process (the server does).
 */
import type { Client } from '@plumb/client/client.ts';
import type { Deadline } from '@plumb/client/deadline.ts';
import type { Reference } from '@plumb/client/objects.ts';
import { remark } from '@plumb/client/pending.ts';
import { type Ambient, PlumbError, type PlumbObject } from '@plumb/schemas';
import { type Pending, pendingOf } from '@plumb/schemas/meta/pending.ts';
import type { Log } from '../log.ts';
import type { Stack } from '../stack.ts';

/** How often a mark is renewed: several times before the server would miss one, whatever its limit (4 s at least). Milliseconds. */
const RENEW_MS = 1_500;
/** How long a request about a mark may take while somebody waits for it, and behind everyone's back. */
const ASK_MS = 10_000;
const PATIENCE_MS = 120_000;
/** Terraform has written its state by then: a local one at once, a remote one every 20 s and at the end. */
const WRITTEN_MS = 30_000;
const WRITTEN_AT_END_MS = 2_000;
/** Marks that are taken away at a time. */
const TOGETHER = 8;

interface Made {
  client: Client;
  ref: Reference;
  uid: string;
  mark: Pending;
  stack: Stack;
  endTimer: () => void;
}

export class Creates {
  readonly #clock: Ambient['clock'];
  readonly #log: Log;
  /** By uid. */
  readonly #making = new Map<string, Made>();
  /** Handed over, as far as we know. */
  readonly #told = new Map<string, Made>();
  readonly #uids = new Set<string>();
  readonly #working = new Set<Promise<unknown>>();
  #over: 'ended' | 'vanished' | undefined;

  constructor({ clock }: Pick<Ambient, 'clock'>, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Terraform is gone, and has not said that it ends: nobody hears an answer any more. */
  get isVanished(): boolean {
    return this.#over === 'vanished';
  }

  /** Whether this session has made the object. */
  has(uid: string): boolean {
    return this.#uids.has(uid);
  }

  /** It is there from now on, and nobody knows of it: the mark is renewed. */
  begin(client: Client, ref: Reference, object: PlumbObject, stack: Stack): void {
    const { uid } = object.metadata;
    const mark = pendingOf(object);
    this.#uids.add(uid);
    if (!mark) return;
    const made: Made = { client, ref, uid, mark, stack, endTimer: () => {} };
    this.#making.set(uid, made);
    this.#renewLater(made);
  }

  #renewLater(made: Made): void {
    made.endTimer = this.#clock.after(RENEW_MS, () => {
      if (!this.#making.has(made.uid)) return;
      made.mark = { ...made.mark, beat: (made.mark.beat ?? 0) + 1 };
      this.#work(this.#remark(made, made.mark, ASK_MS), 'renew').finally(() => {
        if (this.#making.has(made.uid)) this.#renewLater(made);
      });
    });
  }

  /**
   * Terraform is given the object with the next answer. False when nobody hears that any more: then it has to be taken back. What the server
   * cannot be told now it is told later: the object is there, and Terraform is to know of it.
   */
  async handOver(uid: string): Promise<boolean> {
    const made = this.#making.get(uid);
    if (!made) return !this.isVanished;
    this.#leave(made);
    // With a named stack it can be found again, if Terraform is killed before it has written its state.
    const next: Pending | undefined = made.stack.isNamed ? { ...made.mark, phase: 'told' } : undefined;
    try {
      await this.#remark(made, next, ASK_MS);
    } catch {
      this.#work(this.#remark(made, next, PATIENCE_MS), 'hand over');
    }
    if (this.isVanished) return false;
    if (!next) return true;
    made.mark = next;
    this.#told.set(uid, made);
    made.endTimer = this.#clock.after(this.#over ? WRITTEN_AT_END_MS : WRITTEN_MS, () => this.#confirm([made]));
    return true;
  }

  /** It is taken back, or gone. */
  drop(uid: string): void {
    const made = this.#making.get(uid);
    if (made) this.#leave(made);
  }

  #leave(made: Made): void {
    made.endTimer();
    this.#making.delete(made.uid);
  }

  /** A state has the object: whoever made it, its mark is needed no more. */
  known(client: Client, ref: Reference, object: PlumbObject, stack: Stack): void {
    const mark = pendingOf(object);
    const { uid } = object.metadata;
    if (!mark || this.#making.has(uid) || this.#told.has(uid)) return;
    this.#work(this.#remark({ client, ref, uid, mark, stack, endTimer: () => {} }, undefined, PATIENCE_MS), 'confirm');
  }

  /** Terraform has done its part and says so: it writes its state, if it has not. */
  end(): void {
    if (this.#over) return;
    this.#over = 'ended';
    const told = [...this.#told.values()];
    for (const { endTimer } of told) endTimer();
    if (told.length === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const endTimer = this.#clock.after(WRITTEN_AT_END_MS, () => {
      this.#confirm(told);
      resolve();
    });
    for (const made of told) made.endTimer = endTimer;
    this.#work(promise, 'end');
  }

  /**
   * The connection is gone. Resolves when everything is done that is to be done. What was being made is taken back by those who wait
   * for it (`waiting`); what was handed over may be in a state or not, and stays.
   */
  async close(waiting: () => Promise<unknown>): Promise<void> {
    this.#over ??= 'vanished';
    if (this.isVanished) {
      const told = [...this.#told.values()];
      this.#told.clear();
      for (const { endTimer } of told) endTimer();
      this.#work(
        this.#each(told, (made) => this.#remark(made, { ...made.mark, phase: 'left' }, PATIENCE_MS)),
        'leave',
      );
    }
    await waiting();
    while (this.#working.size > 0) await Promise.allSettled([...this.#working]);
  }

  #confirm(made: readonly Made[]): void {
    const there = made.filter(({ uid }) => this.#told.delete(uid));
    this.#work(
      this.#each(there, (one) => this.#remark(one, undefined, PATIENCE_MS)),
      'confirm',
    );
  }

  async #each(all: readonly Made[], run: (made: Made) => Promise<unknown>): Promise<void> {
    const queue = all.values();
    const walk = async () => {
      for (const made of queue) await run(made);
    };
    await Promise.all(Array.from({ length: Math.min(TOGETHER, all.length) }, walk));
  }

  async #remark({ client, ref, uid, stack }: Made, mark: Pending | undefined, ms: number): Promise<void> {
    const limit: Deadline = client.deadlineDespiteStop(ms);
    try {
      await remark(client, ref, { uid }, mark, stack.manager, limit);
    } finally {
      limit.end();
    }
  }

  /** Nobody waits for it; what goes wrong is made up for by the server. */
  #work(work: Promise<unknown>, what: string): Promise<unknown> {
    const done = work.catch((error: unknown) =>
      this.#log('warn', `a mark is as it was: ${what}`, { error: PlumbError.from(error, what).message }),
    );
    this.#working.add(done);
    void done.finally(() => this.#working.delete(done));
    return done;
  }
}
