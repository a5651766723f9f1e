import { bytesOf } from '../store/check.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_KEYS, type Op, type Precondition } from '../store/store.ts';

/** More than a record of what is handed out takes, with its key. */
const BYTES_OF_A_CLAIM = 512;

/** How full a batch is that decisions share: what it writes, in keys and bytes, and what it relies on are bounded, each for itself. */
export class Fill {
  private writes = 0;
  private readonly relied = new Set<string>();
  private full = 0;
  private bytes = 0;
  /** What the largest decision added, but for the first, with which comes what all rely on. */
  private largest = 0;
  private mostBytes = 0;

  /** Whether another decision has room that is not larger than all before. */
  get hasRoom(): boolean {
    return this.full + this.largest <= MAX_BATCH_KEYS && this.bytes + this.mostBytes <= MAX_BATCH_BYTES;
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
    let own = 0;
    for (const op of ops) own += bytesOf(op);
    if (this.full > 0) {
      if (full > MAX_BATCH_KEYS || this.bytes + own + pending * BYTES_OF_A_CLAIM > MAX_BATCH_BYTES) return false;
      this.largest = Math.max(this.largest, full - this.full);
    }
    this.mostBytes = Math.max(this.mostBytes, own);
    this.full = full;
    this.bytes += own;
    this.writes += ops.length;
    for (const key of added) this.relied.add(key);
    return true;
  }
}
