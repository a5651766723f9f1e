/**
 * The one place where things are handed out. Decisions are made one after the other against the index, many of them
 * share one commit, and a conflict makes each decide again by itself. So no two plans ever see the same free address.
 */
import { PlumbError } from '@plumb/schemas';
import { ConflictError } from '../store/errors.ts';
import { MAX_BATCH_KEYS, type Op, type Precondition, type Store } from '../store/store.ts';
import type { AllocationIndex } from './allocation-index.ts';

/** What a decision wants written beside the allocations that it made in the index. */
export interface Decision<T> {
  preconditions: Precondition[];
  ops: Op[];
  /** Given to the caller when all of it is durable. */
  result: T;
}

interface Submission {
  decide: (index: AllocationIndex) => Decision<unknown>;
  resolve: (value: { result: unknown; revision: number }) => void;
  reject: (error: PlumbError) => void;
}

/** Keys that one decision may at most add to a batch; a batch is closed when the next could overflow it. */
const KEYS_PER_DECISION = 40;

export class AllocationLane {
  private readonly store: Store;
  private readonly index: AllocationIndex;
  private queue: Submission[] = [];
  private running = false;

  constructor(store: Store, index: AllocationIndex) {
    this.store = store;
    this.index = index;
  }

  /**
   * Runs `decide` alone against the index; it must not await, and takes from the index what it needs. Rejects with what
   * it threw, or with ConflictError when someone else changed what it was decided on.
   */
  submit<T>(decide: (index: AllocationIndex) => Decision<T>): Promise<{ result: T; revision: number }> {
    return new Promise((resolve, reject) => {
      this.queue.push({ decide, resolve: resolve as Submission['resolve'], reject });
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
  private takeGroup(): { submission: Submission; decision: Decision<unknown> }[] {
    const group: { submission: Submission; decision: Decision<unknown> }[] = [];
    let keys = 0;
    while (this.queue.length > 0) {
      const pending = this.index.pending();
      if (group.length > 0 && keys + pending.puts.length + pending.deletes.length + KEYS_PER_DECISION > MAX_BATCH_KEYS)
        break;
      const submission = this.queue.shift()!;
      const decision = this.decideOne(submission);
      if (!decision) continue;
      keys += decision.ops.length;
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

  private async commitGroup(group: { submission: Submission; decision: Decision<unknown> }[]): Promise<void> {
    const pending = this.index.pending();
    const preconditions = new Map<string, Precondition>();
    const ops: Op[] = [
      ...pending.puts.map(([key, value]): Op => ({ type: 'put', key, value })),
      ...pending.deletes.map((key): Op => ({ type: 'delete', key })),
    ];
    for (const precondition of [...group.flatMap((g) => g.decision.preconditions), ...pending.preconditions])
      preconditions.set(precondition.key, precondition);
    for (const { decision } of group) ops.push(...decision.ops);
    try {
      const { revision } = await this.store.commit({ preconditions: [...preconditions.values()], ops });
      this.index.keep(revision);
      for (const { submission, decision } of group) submission.resolve({ result: decision.result, revision });
    } catch (error) {
      this.index.takeBack();
      if (error instanceof ConflictError && group.length > 1) await this.commitEachAlone(group);
      else for (const { submission } of group) submission.reject(PlumbError.from(error, 'allocating'));
    }
  }

  private async commitEachAlone(group: { submission: Submission }[]): Promise<void> {
    for (const { submission } of group) {
      const decision = this.decideOne(submission);
      if (decision) await this.commitGroup([{ submission, decision }]);
    }
  }
}
