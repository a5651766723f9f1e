/** A number below 2^53 that is another for other numbers and texts, or another order: 26 bits of each of two hashes. */
export class Digest {
  #one = 0x811c9dc5;
  #two = 0x01000193;

  number(value: number): void {
    this.#feed(value | 0);
    this.#feed(Math.floor(value / 2 ** 32));
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#feed(text.charCodeAt(i));
    this.#feed(-1 - text.length);
  }

  get value(): number {
    return (this.#one >>> 6) * 2 ** 26 + (this.#two >>> 6);
  }

  #feed(value: number): void {
    this.#one = Math.imul(this.#one ^ value, 0x01000193);
    this.#one ^= this.#one >>> 15;
    this.#two = Math.imul(this.#two ^ value, 0x85ebca6b);
    this.#two ^= this.#two >>> 13;
  }
}
