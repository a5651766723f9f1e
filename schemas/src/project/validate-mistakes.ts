/** The mistakes of one object: the first ones in words, the others counted, so that an object of nothing but mistakes costs little. */
import type { FieldError, FieldReason } from '../meta/error.ts';
import { joinPath } from './validate-path.ts';
import { plainWords, type Said, type Words } from './validate-said.ts';

/** Mistakes that are told; the others are counted. */
export const MOST_TOLD = 100;

/** Characters of a path that are told. */
const MOST_PATH = 256;

export class Mistakes {
  /** Whether fields that the schema does not know are mistakes. */
  readonly strictUnknown: boolean;
  /** In which sentences they are told. */
  readonly words: Words;
  /** Whether rules that read fields can rely on what they find. */
  shapeHolds = true;
  readonly #told: FieldError[] = [];
  #count = 0;
  /** Of the value that is looked at. */
  readonly #path: (string | number)[] = [];

  /** Steps of the path that lead to what is judged: it is the body itself to the sentences of an API server. */
  #base = 0;

  constructor(strictUnknown = true, words: Words = plainWords) {
    this.strictUnknown = strictUnknown;
    this.words = words;
  }

  /** What is judged is at this field of an object. */
  within(field: string): void {
    this.#path.push(field);
    this.#base = this.#path.length;
  }

  /** Path of the value that is looked at, or of its field `key`, in what is judged. */
  at(key?: string | number): string {
    return this.#field(key, this.#base);
  }

  get count(): number {
    return this.#count;
  }

  /** What follows is said of the value at this key of the value before. */
  enter(key: string | number): void {
    this.#path.push(key);
  }

  leave(): void {
    this.#path.pop();
  }

  /** Whether further mistakes are only counted: then no sentence needs to be made. */
  get isFull(): boolean {
    return this.#count >= MOST_TOLD;
  }

  /** Notes a mistake of the value that is looked at, or of its field `key`. */
  add(message: string, key?: string | number, reason?: FieldReason): void {
    if (this.#count++ < MOST_TOLD)
      this.#told.push({ field: this.#field(key), message, ...(reason === undefined ? {} : { reason }) });
  }

  /** Notes what the words say of it. */
  say({ message, reason, field }: Said, key?: string | number): void {
    if (field === undefined) this.add(message, key, reason);
    else this.take([{ field, message, ...(reason === undefined ? {} : { reason }) }]);
  }

  /** Notes so many mistakes once it is full. */
  addUntold(count: number): void {
    this.#count += count;
  }

  /** Notes mistakes that were found elsewhere. */
  take(errors: readonly FieldError[]): void {
    for (const error of errors) if (this.#count++ < MOST_TOLD) this.#told.push(error);
  }

  /** The mistakes as they are told; the last one says how many are not. */
  list(): FieldError[] {
    const more = this.#count - this.#told.length;
    if (more <= 0) return this.#told;
    const { field } = this.#told.at(-1)!;
    return [...this.#told, { field: /^[^.[]*/.exec(field)![0], message: moreSentence(more) }];
  }

  #field(key: string | number | undefined, from = 0): string {
    let path = '';
    for (let i = from; i < this.#path.length; i++) path = joined(path, this.#path[i]!);
    return key === undefined ? path : joined(path, key);
  }
}

/** `and 7,900 more` */
export function moreSentence(count: number): string {
  return `and ${count.toLocaleString('en-US')} more`;
}

/** A key may be as long as the object. */
function joined(path: string, key: string | number): string {
  if (path.length >= MOST_PATH) return path.endsWith('…') ? path : `${path}…`;
  return joinPath(path, typeof key === 'string' && key.length > MOST_PATH ? `${key.slice(0, MOST_PATH)}…` : key);
}
