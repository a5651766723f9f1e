/** Texts that many say, each with a number; a number is given once and stays. */
export class Numbers {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of the text, which gets the next one when it has none. */
  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** The number of the text, or undefined when it has none. */
  known(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  all(): Iterable<string> {
    return this.#texts;
  }

  text(number: number): string {
    return this.#texts[number]!;
  }
}
