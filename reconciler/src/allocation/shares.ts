/**
 * Who has a share of which host, and what of it: lists in columns of numbers, for a hundred thousand instances a few
 * megabytes. A share belongs to one holder and one host, and is in the list of each.
 */
import { grown } from '../runtime/slot-index.ts';

const NONE = -1;

export class Shares {
  /** First share of each holder and of each host; NONE for those without. */
  #firstOfHolder = new Int32Array(16).fill(NONE);
  #firstOnHost = new Int32Array(16).fill(NONE);
  /** By share. */
  #holder = new Int32Array(16);
  #host = new Int32Array(16);
  #content = new Int32Array(16);
  #nextOfHolder = new Int32Array(16);
  #nextOnHost = new Int32Array(16);
  #previousOnHost = new Int32Array(16);
  /** Head of the list of free shares, which goes on in nextOfHolder; beyond `#used` nothing was ever used. */
  #free = NONE;
  #used = 0;

  /** All are numbers from 0 that the caller gives. Of one holder the shares are listed last added first. */
  add(holder: number, host: number, content: number): void {
    const share = this.#take();
    this.#firstOfHolder = withRoom(this.#firstOfHolder, holder);
    this.#firstOnHost = withRoom(this.#firstOnHost, host);
    this.#holder[share] = holder;
    this.#host[share] = host;
    this.#content[share] = content;
    this.#nextOfHolder[share] = this.#firstOfHolder[holder]!;
    this.#firstOfHolder[holder] = share;
    const next = this.#firstOnHost[host]!;
    this.#nextOnHost[share] = next;
    this.#previousOnHost[share] = NONE;
    if (next !== NONE) this.#previousOnHost[next] = share;
    this.#firstOnHost[host] = share;
  }

  /** Takes everything from the holder. */
  clear(holder: number): void {
    if (holder >= this.#firstOfHolder.length) return;
    for (let share = this.#firstOfHolder[holder]!; share !== NONE; ) {
      const after = this.#nextOfHolder[share]!;
      const [previous, next] = [this.#previousOnHost[share]!, this.#nextOnHost[share]!];
      if (previous === NONE) this.#firstOnHost[this.#host[share]!] = next;
      else this.#nextOnHost[previous] = next;
      if (next !== NONE) this.#previousOnHost[next] = previous;
      this.#nextOfHolder[share] = this.#free;
      this.#free = share;
      share = after;
    }
    this.#firstOfHolder[holder] = NONE;
  }

  of(holder: number): { host: number; content: number }[] {
    const found: { host: number; content: number }[] = [];
    if (holder >= this.#firstOfHolder.length) return found;
    for (let share = this.#firstOfHolder[holder]!; share !== NONE; share = this.#nextOfHolder[share]!)
      found.push({ host: this.#host[share]!, content: this.#content[share]! });
    return found;
  }

  on(host: number): { holder: number; content: number }[] {
    const found: { holder: number; content: number }[] = [];
    if (host >= this.#firstOnHost.length) return found;
    for (let share = this.#firstOnHost[host]!; share !== NONE; share = this.#nextOnHost[share]!)
      found.push({ holder: this.#holder[share]!, content: this.#content[share]! });
    return found;
  }

  #take(): number {
    if (this.#free !== NONE) {
      const share = this.#free;
      this.#free = this.#nextOfHolder[share]!;
      return share;
    }
    const share = this.#used++;
    if (share >= this.#holder.length) {
      this.#holder = grown(this.#holder, share);
      this.#host = grown(this.#host, share);
      this.#content = grown(this.#content, share);
      this.#nextOfHolder = grown(this.#nextOfHolder, share);
      this.#nextOnHost = grown(this.#nextOnHost, share);
      this.#previousOnHost = grown(this.#previousOnHost, share);
    }
    return share;
  }
}

function withRoom(first: Int32Array<ArrayBuffer>, at: number): Int32Array<ArrayBuffer> {
  if (at < first.length) return first;
  const larger = grown(first, at);
  larger.fill(NONE, first.length);
  return larger;
}
