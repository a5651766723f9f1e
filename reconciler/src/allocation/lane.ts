/**
 * The one place where things are handed out. Decisions are made one after the other against the index, many of them
 * share one commit, and after a conflict they decide again. So no two plans ever see the same free address.
 * The next are decided while the disk is still waited for: what they build on becomes durable before them or not at all.
 */
import { PlumbError } from '@plumb/schemas';
import { ConflictError } from '../store/errors.ts';
import type { Op, Precondition, Store } from '../store/store.ts';
import type { AllocationIndex } from './allocation-index.ts';
import { Fill } from './fill.ts';

/** What a decision wants written beside the allocations that it made in the index. */
export interface Decision<T> {
  preconditions: Precondition[];
  ops: Op[];
  /** Given to the caller when all of it is durable. */
  result: T;
}

interface Submission {
  /** How often another process changed what is handed out meanwhile. */
  conflicts: number;
  decide: (index: AllocationIndex) => Decision<unknown>;
  resolve: (value: { result: unknown; revision: number }) => void;
  reject: (error: PlumbError) => void;
}

interface Decided {
  submission: Submission;
  decision: Decision<unknown>;
}

/** How often a decision is made again because another process changed what is handed out; then its caller tries again later. */
const MAX_CONFLICTS = 64;

export class AllocationLane {
  private readonly store: Store;
  private readonly index: AllocationIndex;
  private readonly feed: { upToDate(): Promise<void> };
  private queue: Submission[] = [];
  private running = false;

  /** `feed`: brings the index what others write. */
  constructor(store: Store, index: AllocationIndex, feed: { upToDate(): Promise<void> } = { async upToDate() {} }) {
    this.store = store;
    this.index = index;
    this.feed = feed;
  }

  /**
   * Runs `decide` alone against the index; it must not await, and takes from the index what it needs. Rejects with what
   * it threw, or with ConflictError when someone else changed what it was decided on.
   */
  submit<T>(decide: (index: AllocationIndex) => Decision<T>): Promise<{ result: T; revision: number }> {
    return new Promise((resolve, reject) => {
      this.queue.push({ conflicts: 0, decide, resolve: resolve as Submission['resolve'], reject });
      if (!this.running) {
        this.running = true;
        void this.drain();
      }
    });
  }

  private async drain(): Promise<void> {
    await Promise.resolve(); // what arrives in the same turn shares a batch
    while (this.queue.length > 0) {
      const group = this.takeGroup();
      if (group.length > 0) await this.commitGroup(group);
    }
    this.running = false;
  }

  /** Decides as many submissions as one batch holds; those that throw are rejected at once. */
  private takeGroup(): Decided[] {
    const group: Decided[] = [];
    const batch = new Fill();
    while (this.queue.length > 0 && batch.hasRoom) {
      const submission = this.queue.shift()!;
      const back = this.index.savepoint();
      const decision = this.decideOne(submission);
      if (!decision) continue;
      if (!batch.add(decision, this.index.pendingKeys)) {
        back();
        this.queue.unshift(submission); // it decides again, as the first of the next batch
        break;
      }
      group.push({ submission, decision });
    }
    return group;
  }

  private decideOne(submission: Submission): Decision<unknown> | undefined {
    const back = this.index.savepoint();
    try {
      return submission.decide(this.index);
    } catch (error) {
      back(); // guard: reservation leaked on failed placement
      submission.reject(PlumbError.from(error, 'allocating'));
      return undefined;
    }
  }

  /** Resolves when the next group may be decided: the store gave this one its revision, or refused it. */
  private commitGroup(group: Decided[]): Promise<void> {
    const pending = this.index.pending();
    const preconditions = new Map<string, Precondition>();
    const ops: Op[] = [];
    for (const [key, value] of pending.puts) ops.push({ type: 'put', key, value });
    for (const key of pending.deletes) ops.push({ type: 'delete', key });
    for (const { decision } of group) {
      for (const precondition of decision.preconditions) preconditions.set(precondition.key, precondition);
      for (const op of decision.ops) ops.push(op);
    }
    for (const precondition of pending.preconditions) preconditions.set(precondition.key, precondition);

    const { promise: decidable, resolve: goOn } = Promise.withResolvers<void>();
    let applied = false;
    const committed = this.store.commit({ preconditions: [...preconditions.values()], ops }, (revision) => {
      applied = true;
      this.index.keep(revision);
      goOn();
    });
    committed.then(
      ({ revision }) => {
        for (const { submission, decision } of group) submission.resolve({ result: decision.result, revision });
      },
      (error) => {
        if (!applied) this.index.takeBack();
        if (!applied && error instanceof ConflictError)
          return this.separate(group, error)
            .catch((stopped) => this.refuse(group, stopped))
            .then(goOn);
        this.refuse(group, error);
        return goOn();
      },
    );
    return decidable;
  }

  private refuse(group: Decided[], error: unknown): void {
    for (const { submission } of group) submission.reject(PlumbError.from(error, 'allocating'));
  }

  /**
   * Somebody changed something meanwhile. Whose decision relied on that is told; the others decide again, together, when the index
   * shows what was changed. Each decides again by itself when it is not plain whose it was.
   */
  private async separate(group: Decided[], { keys }: ConflictError): Promise<void> {
    const others: Submission[] = [];
    const refused: { submission: Submission; keys: string[] }[] = [];
    for (const { submission, decision } of group) {
      const own = decision.preconditions.map(({ key }) => key).filter((key) => keys.includes(key));
      if (own.length > 0) refused.push({ submission, keys: own });
      else others.push(submission);
    }
    for (const { submission, keys: own } of refused) submission.reject(new ConflictError(own));
    if (keys.some((key) => key.startsWith(this.index.prefix))) await this.feed.upToDate();
    if (refused.length > 0) this.queue.unshift(...others);
    else for (const submission of others) await this.commitAlone(submission, keys);
  }

  private async commitAlone(submission: Submission, keys: string[]): Promise<void> {
    if (submission.conflicts++ >= MAX_CONFLICTS) {
      submission.reject(new ConflictError(keys));
      return;
    }
    const decision = this.decideOne(submission);
    if (decision) await this.commitGroup([{ submission, decision }]);
  }
}
