/** Names of which the first is asked for again and again, while names come and go: a binary heap, cleared of those that went. */
export class NameHeap {
  #names: string[] = [];

  push(name: string): void {
    const names = this.#names;
    let at = names.push(name) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (names[parent]! <= name) break;
      names[at] = names[parent]!;
      at = parent;
    }
    names[at] = name;
  }

  /**
   * The first name of those that are still here, as `isHere` says, of which there are `count`. Undefined when none is.
   * Names that went are dropped when they come to the front, or when they are many.
   */
  first(isHere: (name: string) => boolean, count: number): string | undefined {
    if (this.#names.length > 2 * count + 64) {
      this.#names = [...new Set(this.#names.filter(isHere))].sort();
    }
    while (this.#names.length > 0 && !isHere(this.#names[0]!)) this.#drop();
    return this.#names[0];
  }

  /** As {@link first}, of those names of which `isOut` does not hold. Costs as much as there are such before it. */
  firstBut(isHere: (name: string) => boolean, count: number, isOut: (name: string) => boolean): string | undefined {
    const out = new Set<string>();
    let name = this.first(isHere, count);
    while (name !== undefined && isOut(name)) {
      out.add(name);
      this.#drop();
      name = this.first(isHere, count);
    }
    for (const one of out) this.push(one);
    return name;
  }

  #drop(): void {
    const names = this.#names;
    const last = names.pop()!;
    if (names.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= names.length) break;
      if (child + 1 < names.length && names[child + 1]! < names[child]!) child++;
      if (names[child]! >= last) break;
      names[at] = names[child]!;
      at = child;
    }
    names[at] = last;
  }
}
