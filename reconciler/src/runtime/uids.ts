import { grown } from './slot-index.ts';

/** Four numbers for the four quarters of a uid. */
const QUARTERS = 4;
const LENGTH = 36;

/** Uids by slot, in sixteen bytes each. Any text may be one: what is no UUID in lower case takes its own room. */
export class Uids {
  #bytes = new Int32Array(16 * QUARTERS);
  readonly #others = new Map<number, string>();

  set(slot: number, uid: string): void {
    const at = slot * QUARTERS;
    if (at + QUARTERS > this.#bytes.length) this.#bytes = grown(this.#bytes, at + QUARTERS);
    if (this.#others.size > 0) this.#others.delete(slot);
    if (parse(uid)) this.#bytes.set(parsed, at);
    else this.#others.set(slot, uid);
  }

  /** Whether this was set last for the slot. */
  is(slot: number, uid: string): boolean {
    if (this.#others.size > 0 && this.#others.has(slot)) return this.#others.get(slot) === uid;
    if (!parse(uid)) return false;
    const at = slot * QUARTERS;
    for (let i = 0; i < QUARTERS; i++) if (this.#bytes[at + i] !== parsed[i]) return false;
    return true;
  }

  /** What was set last for the slot. */
  get(slot: number): string {
    const other = this.#others.size > 0 ? this.#others.get(slot) : undefined;
    if (other !== undefined) return other;
    const at = slot * QUARTERS;
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => (this.#bytes[at + i]! >>> 0).toString(16).padStart(8, '0'));
    return `${a}-${b!.slice(0, 4)}-${b!.slice(4)}-${c!.slice(0, 4)}-${c!.slice(4)}${d}`;
  }
}

/** What {@link parse} found. */
const parsed = new Int32Array(QUARTERS);

/** False when it is no UUID in lower case. */
function parse(uid: string): boolean {
  if (uid.length !== LENGTH) return false;
  let digits = 0;
  let quarter = 0;
  for (let i = 0; i < LENGTH; i++) {
    const code = uid.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (code !== 45) return false;
      continue;
    }
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1;
    if (digit < 0) return false;
    quarter = (quarter << 4) | digit;
    if ((++digits & 7) === 0) parsed[(digits >> 3) - 1] = quarter;
  }
  return true;
}
