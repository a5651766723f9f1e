import { grown } from './slot-index.ts';

/** Four numbers for the four quarters of a uid. */
const QUARTERS = 4;
const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Uids by slot, in sixteen bytes each. Any text may be one: what is no UUID in lower case takes its own room. */
export class Uids {
  #bytes = new Int32Array(16 * QUARTERS);
  readonly #others = new Map<number, string>();

  set(slot: number, uid: string): void {
    const at = slot * QUARTERS;
    if (at + QUARTERS > this.#bytes.length) this.#bytes = grown(this.#bytes, at + QUARTERS);
    this.#others.delete(slot);
    if (!UID.test(uid)) {
      this.#others.set(slot, uid);
      return;
    }
    this.#bytes[at] = Number.parseInt(uid.slice(0, 8), 16);
    this.#bytes[at + 1] = Number.parseInt(uid.slice(9, 13) + uid.slice(14, 18), 16);
    this.#bytes[at + 2] = Number.parseInt(uid.slice(19, 23) + uid.slice(24, 28), 16);
    this.#bytes[at + 3] = Number.parseInt(uid.slice(28), 16);
  }

  /** What was set last for the slot. */
  get(slot: number): string {
    const other = this.#others.get(slot);
    if (other !== undefined) return other;
    const at = slot * QUARTERS;
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => (this.#bytes[at + i]! >>> 0).toString(16).padStart(8, '0'));
    return `${a}-${b!.slice(0, 4)}-${b!.slice(4)}-${c!.slice(0, 4)}-${c!.slice(4)}${d}`;
  }
}
