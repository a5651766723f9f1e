import { MAX_BATCH_KEYS, type Op, type Precondition } from '../store/store.ts';

/** How full a batch is that decisions share: what it writes and what it relies on are bounded, each for itself. */
export class Fill {
  private writes = 0;
  private readonly relied = new Set<string>();
  private full = 0;
  /** What the largest decision added, but for the first, with which comes what all rely on. */
  private largest = 0;

  /** Whether another decision has room that is not larger than all before. */
  get hasRoom(): boolean {
    return this.full + this.largest <= MAX_BATCH_KEYS;
  }

  /**
   * Counts the decision in; false when the batch has no room for it. The first has. `pending`: how many keys the index
   * writes, and relies on, for all that were counted in and for this one.
   */
  add(
    { preconditions, ops }: { preconditions: readonly Precondition[]; ops: readonly Op[] },
    pending: number,
  ): boolean {
    const added = new Set<string>();
    for (const { key } of preconditions) if (!this.relied.has(key)) added.add(key);
    const full = pending + Math.max(this.writes + ops.length, this.relied.size + added.size);
    if (this.full > 0) {
      if (full > MAX_BATCH_KEYS) return false;
      this.largest = Math.max(this.largest, full - this.full);
    }
    this.full = full;
    this.writes += ops.length;
    for (const key of added) this.relied.add(key);
    return true;
  }
}
