import { ProbingTable } from './probing-table.ts';

/**
 * A set of whole numbers from 0 in about eight bytes each, a fifth of what a Set needs. Numbers that are close to each
 * other are iterated mostly in ascending order; it must not be changed meanwhile.
 */
export class IntSet extends ProbingTable {
  protected hash(value: number): number {
    return value;
  }

  has(value: number): boolean {
    return this.cells[this.cellOf(value)] !== 0;
  }

  add(value: number): void {
    this.put(value);
  }

  delete(value: number): boolean {
    return this.take(value);
  }

  *[Symbol.iterator](): Generator<number> {
    for (const cell of this.cells) if (cell !== 0) yield cell - 1;
  }

  /** As iterating, faster. */
  each(visit: (value: number) => void): void {
    for (const cell of this.cells) if (cell !== 0) visit(cell - 1);
  }
}
