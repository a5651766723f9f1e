const MIN_CELLS = 4;

/**
 * Whole numbers from 0 in about eight bytes each: a hash table with open addressing and linear probing. Which hash a number
 * has, its users say.
 */
export abstract class ProbingTable {
  /** 0 is an empty cell, n + 1 is n. */
  protected cells = new Int32Array(MIN_CELLS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Stays the same as long as the number is in the table. Its low bits should be good. */
  protected abstract hash(value: number): number;

  /** The cell that holds the number, or the empty one where it belongs. */
  protected cellOf(value: number): number {
    const { cells } = this;
    const mask = cells.length - 1;
    let cell = this.hash(value) & mask;
    while (cells[cell] !== 0 && cells[cell] !== value + 1) cell = (cell + 1) & mask;
    return cell;
  }

  protected put(value: number): void {
    const cell = this.cellOf(value);
    if (this.cells[cell] !== 0) return;
    this.cells[cell] = value + 1;
    this.#size++;
    if (this.#size * 4 > this.cells.length * 3) this.#resize(this.cells.length * 2);
  }

  /** Whether it was there. */
  protected take(value: number): boolean {
    const { cells } = this;
    let empty = this.cellOf(value);
    if (cells[empty] === 0) return false;
    const mask = cells.length - 1;
    // What was pushed on by the one that goes moves back, so that no search ends too early.
    for (let cell = (empty + 1) & mask; cells[cell] !== 0; cell = (cell + 1) & mask) {
      const home = this.hash(cells[cell]! - 1) & mask;
      if (((cell - home) & mask) < ((cell - empty) & mask)) continue;
      cells[empty] = cells[cell]!;
      empty = cell;
    }
    cells[empty] = 0;
    this.#size--;
    if (cells.length > MIN_CELLS && this.#size * 8 < cells.length) this.#resize(cells.length / 2);
    return true;
  }

  #resize(cells: number): void {
    const before = this.cells;
    this.cells = new Int32Array(cells);
    for (const cell of before) if (cell !== 0) this.cells[this.cellOf(cell - 1)] = cell;
  }
}
