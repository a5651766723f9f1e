/** Who holds each address and each MAC, by its key in the store: as a map would, in fifty bytes each. */
import { toAddress } from '../plan/addressing.ts';
import { grown, SlotIndex } from '../runtime/slot-index.ts';
import { Uids } from '../runtime/uids.ts';
import { keys } from '../store/keys.ts';
import { Numbers } from './numbers.ts';

export interface Holder {
  uid: string;
  /** Of the commit that wrote the key. */
  revision: number;
}

const ADDRESSES = keys.address('', '').slice(0, -1);
const MACS = keys.mac('');

export class HolderTable {
  readonly #index = new SlotIndex((slot, key) => this.#keyOf(slot) === key);
  readonly #uids = new Uids();
  #revisions = new Float64Array(16);
  /** Of an address the number of its network; of a MAC the first 16 bits, negative; cf. #low. */
  #high = new Int32Array(16);
  /** The address, or the last 32 bits of the MAC. */
  #low = new Int32Array(16);
  readonly #networks = new Numbers();
  /** Keys that are written in another way than ours. */
  readonly #others = new Map<number, string>();
  readonly #free: number[] = [];
  #used = 0;

  get(key: string): Holder | undefined {
    const slot = this.#index.find(key);
    return slot < 0 ? undefined : { uid: this.#uids.get(slot), revision: this.#revisions[slot]! };
  }

  has(key: string): boolean {
    return this.#index.find(key) >= 0;
  }

  set(key: string, { uid, revision }: Holder): void {
    let slot = this.#index.find(key);
    if (slot < 0) slot = this.#take(key);
    this.#uids.set(slot, uid);
    this.#revisions[slot] = revision;
  }

  delete(key: string): boolean {
    const slot = this.#index.find(key);
    if (slot < 0) return false;
    this.#index.remove(slot);
    this.#uids.set(slot, '');
    this.#others.delete(slot);
    this.#free.push(slot);
    return true;
  }

  /** All keys that somebody holds. */
  *keys(): Generator<string> {
    const free = new Set(this.#free);
    for (let slot = 0; slot < this.#used; slot++) if (!free.has(slot)) yield this.#keyOf(slot);
  }

  /** Keys that the holder has. Looks at every one: for what happens seldom. */
  *keysOf(uid: string): Generator<string> {
    if (uid !== '') for (let slot = 0; slot < this.#used; slot++) if (this.#uids.is(slot, uid)) yield this.#keyOf(slot);
  }

  #take(key: string): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#revisions.length) {
      this.#revisions = grown(this.#revisions, slot);
      this.#high = grown(this.#high, slot);
      this.#low = grown(this.#low, slot);
    }
    this.#note(slot, key);
    if (this.#keyOf(slot) !== key) this.#others.set(slot, key);
    this.#index.add(slot, key);
    return slot;
  }

  /** What cannot be read as we write it is noted as something else. */
  #note(slot: number, key: string): void {
    let [high, low] = [0, 0];
    if (key.startsWith(ADDRESSES)) {
      const slash = key.lastIndexOf('/');
      high = this.#networks.of(key.slice(ADDRESSES.length, slash));
      low = integerOf(key, slash + 1);
    } else {
      const mac = key.slice(MACS.length).replaceAll(':', '');
      high = -1 - Number.parseInt(mac.slice(0, 4), 16);
      low = Number.parseInt(mac.slice(4), 16);
    }
    this.#high[slot] = high;
    this.#low[slot] = low;
  }

  #keyOf(slot: number): string {
    const other = this.#others.get(slot);
    if (other !== undefined) return other;
    const [high, low] = [this.#high[slot]!, this.#low[slot]! >>> 0];
    if (high >= 0) return keys.address(this.#networks.text(high), toAddress(low));
    const hex = (-1 - high).toString(16).padStart(4, '0') + low.toString(16).padStart(8, '0');
    return keys.mac(hex.match(/../g)!.join(':'));
  }
}

/** Of an IPv4 address from `at` to the end of the text; anything, if it is none. */
function integerOf(text: string, at: number): number {
  let [value, part] = [0, 0];
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 46) part = part * 10 + code - 48;
    else {
      value = value * 256 + part;
      part = 0;
    }
  }
  return value * 256 + part;
}
