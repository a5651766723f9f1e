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

const ADDRESS = new RegExp(`^${keys.address('([^/]+)', String.raw`(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})`)}$`);
const MAC = new RegExp(`^${keys.mac('([0-9a-f]{2}(?::[0-9a-f]{2}){5})')}$`);

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

  #note(slot: number, key: string): void {
    const address = ADDRESS.exec(key);
    const mac = address ? undefined : MAC.exec(key)?.[1]?.replaceAll(':', '');
    if (address) {
      this.#high[slot] = this.#networks.of(address[1]!);
      this.#low[slot] = address.slice(2).reduce((sum, part) => sum * 256 + Number(part), 0);
    } else {
      this.#high[slot] = -1 - Number.parseInt(mac?.slice(0, 4) ?? '0', 16);
      this.#low[slot] = Number.parseInt(mac?.slice(4) ?? '0', 16);
    }
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
