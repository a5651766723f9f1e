/** What happened, in a number: two runs of one seed have the same. The last lines are kept for people. */
export class Trace {
  lines: string[] = [];
  #high = 0x811c9dc5;
  #low = 0x9e3779b9;
  readonly #keep: number;

  constructor(keep = 0) {
    this.#keep = keep;
  }

  add(nowMs: number, line: string): void {
    const text = `${nowMs} ${line}`;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.#high = Math.imul(this.#high ^ code, 0x01000193);
      this.#low = Math.imul(this.#low ^ code, 0x01000197);
    }
    if (this.#keep === 0) return;
    this.lines.push(text);
    if (this.lines.length > 2 * this.#keep) this.lines = this.lines.slice(-this.#keep);
  }

  get hash(): string {
    return [this.#high, this.#low].map((n) => (n >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
