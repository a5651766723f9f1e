/**
 * Lines of resources (schemas/src/wire/resource-line.ts) made short for keeping: hundreds of thousands of them are in memory at
 * once. The owner's uid becomes one character; other uids and long words, such as sums and keys, are shared by many and
 * become four. The characters that mark them occur in no line. The lines of one owner on one host are one text, sorted
 * while they were long, so that equal resources are equal texts.
 */
import { type LiveResource, type ResourceType, resourceOrder } from '@plumb/schemas';
import { lineHead, resourceFromLine, resourceLine } from '@plumb/schemas/wire/resource-line.ts';
import { Likeness } from './likeness.ts';

const US = '\x1f';
const OWNER = '\x01';
const WORD = '\x02';
/** In JSON: a uid, or any long string, with its first quote. Never beyond a field: what a line begins with stays as it is. */
const LONG_WORD = /"(?:[0-9a-f-]{36}|[^"\\\p{Cc}]{60,400})(?=")/gu;
const SHORT_WORD = new RegExp(`${WORD}...`, 'g');

/** Digits of a word's number: characters of ASCII, so that one byte is enough for each, and none that controls. */
const DIGIT_0 = 0x20;
const BASE = 0x7f - DIGIT_0;
/** Words that come after stay as they are: however much agents make up, this is bounded. */
const MOST_WORDS = 65_536;

/** Who may add words without a bound of his own. */
const ANYBODY = {};

export class ShortLines {
  readonly #codes = new Map<string, string>();
  readonly #words: string[] = [];
  readonly #wordsPerSource: number;
  /** How many words each source has added. */
  readonly #added = new WeakMap<object, number>();

  /** `wordsPerSource`: words that one source adds at most, so that none uses up what there is for all. */
  constructor(wordsPerSource = MOST_WORDS) {
    this.#wordsPerSource = wordsPerSource;
  }

  /** The text of these resources of one owner; undefined when there are none. `source` is who tells it. */
  write(owner: string, resources: readonly LiveResource[], source: object = ANYBODY): string | undefined {
    return resources.length === 0 ? undefined : this.#shorten(textOf(resources.map(resourceLine)), owner, source);
  }

  read(owner: string, text: string): LiveResource[] {
    return this.lines(owner, text).map(resourceFromLine);
  }

  /** The full lines of a text. */
  lines(owner: string, text: string): string[] {
    return this.#lengthen(text, owner).split('\n');
  }

  /** Whether the text says exactly these resources. */
  says(owner: string, text: string, resources: readonly LiveResource[]): boolean {
    return this.#lengthen(text, owner) === textOf(resources.map(resourceLine));
  }

  /** What the texts of all objects are like that have these resources but for their own uid, and words in place of blanks. */
  likeness(owner: string, resources: readonly LiveResource[]): Likeness {
    return new Likeness(this.#shorten(textOf(resources.map(resourceLine)), owner));
  }

  has(owner: string, text: string, ref: { kind: ResourceType; id: string }): boolean {
    const head = this.#shorten(lineHead(ref), owner);
    return text.startsWith(head) || text.includes(`\n${head}`);
  }

  /** The text with these resources in the place of what it says of them; the last of several with one identity counts. */
  with(owner: string, text: string | undefined, resources: readonly LiveResource[], source: object = ANYBODY): string {
    const lines = latestOf(resources).map(resourceLine);
    if (text !== undefined) {
      const heads = new Set(resources.map(lineHead));
      lines.push(...this.lines(owner, text).filter((line) => !heads.has(headOf(line))));
    }
    return this.#shorten(textOf(lines), owner, source);
  }

  /** The text without the resource; undefined when nothing is left. */
  without(
    owner: string,
    text: string,
    ref: { kind: ResourceType; id: string },
    source: object = ANYBODY,
  ): string | undefined {
    const head = lineHead(ref);
    const others = this.lines(owner, text).filter((line) => !line.startsWith(head));
    return others.length === 0 ? undefined : this.#shorten(textOf(others), owner, source);
  }

  #shorten(text: string, owner: string, source: object = ANYBODY): string {
    return flat(text.replaceAll(owner, OWNER).replace(LONG_WORD, (word) => this.#codeOf(word, source)));
  }

  #lengthen(text: string, owner: string): string {
    return text.replace(SHORT_WORD, (code) => this.#words[numberOf(code)]!).replaceAll(OWNER, owner);
  }

  #codeOf(word: string, source: object): string {
    const known = this.#codes.get(word);
    if (known !== undefined) return known;
    const index = this.#words.length;
    const added = this.#added.get(source) ?? 0;
    if (index >= MOST_WORDS || (source !== ANYBODY && added >= this.#wordsPerSource)) return word;
    this.#added.set(source, added + 1);
    const code = codeOf(index);
    // A copy: the word as it was found keeps the whole line in memory.
    const own = flat(word);
    this.#words.push(own);
    this.#codes.set(own, code);
    return code;
  }
}

/** How many lines a text has. */
export function linesIn(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** Each resource as it is said last. Mostly each is said once, in the order of making. */
function latestOf(resources: readonly LiveResource[]): readonly LiveResource[] {
  for (let i = 1; i < resources.length; i++) {
    const [before, resource] = [resources[i - 1]!, resources[i]!];
    const order = resourceOrder(resource.kind) - resourceOrder(before.kind);
    if (order < 0 || (order === 0 && resource.id <= before.id))
      return [...new Map(resources.map((each) => [lineHead(each), each])).values()];
  }
  return resources;
}

/** How a line begins, up to what tells it from all others. */
function headOf(line: string): string {
  return line.slice(0, line.indexOf(US) + 1);
}

function codeOf(number: number): string {
  const digits = [Math.floor(number / BASE ** 2), Math.floor(number / BASE) % BASE, number % BASE];
  return WORD + String.fromCharCode(...digits.map((digit) => DIGIT_0 + digit));
}

function numberOf(code: string): number {
  let number = 0;
  for (let i = 1; i < code.length; i++) number = number * BASE + code.charCodeAt(i) - DIGIT_0;
  return number;
}

/** Resources are mostly given in the order of their lines. */
function textOf(lines: string[]): string {
  for (let i = 1; i < lines.length; i++)
    if (lines[i - 1]! > lines[i]!) {
      lines.sort();
      break;
    }
  return lines.join('\n');
}

/** The same text in a piece of memory of its own, and in no more than it needs. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
