/**
 * Label selectors: `tier=web,env in (prod,test),!legacy,size>3`. Grammar, rules and sentences are those of Kubernetes
 * (apimachinery, `labels.Parse`). Time is linear in the text. Server and command line read selectors with this.
 */
import { terminal } from '../meta/error.ts';
import { shown } from '../project/shown.ts';
import { labelKeyProblems, labelValueProblems } from './label-rules.ts';
import { type Token, type TokenType, tokensOf } from './tokens.ts';

export type Labels = Readonly<Record<string, string>>;

type Operator = 'in' | 'notin' | '=' | '==' | '!=' | '>' | '<';

/** One condition on one label. `value` is undefined where the object has no such label. */
interface Requirement {
  key: string;
  holds(value: string | undefined): boolean;
}

/** Largest and smallest number of `>` and `<`: a 64-bit integer, as strconv.ParseInt reads it. */
const INTEGER = /^[+-]?\d{1,64}$/;
const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

/**
 * A test for the labels of an object, or undefined when the text is blank and selects everything. Throws terminal
 * `BadRequest` for anything else that is no selector: nothing that cannot be read ever selects.
 */
export function labelSelector(text: string): ((labels: Labels | undefined) => boolean) | undefined {
  // Kubernetes takes this character for the end of the selector, so that what follows would be ignored.
  if (text.includes('\0')) throw unreadable("found a NUL character, expected: !, identifier, or 'end of string'");
  const requirements = new Parser(tokensOf(text)).requirements();
  if (requirements.length === 0) return undefined;
  return (labels) => {
    for (const { key, holds } of requirements)
      if (!holds(labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined)) return false;
    return true;
  };
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  requirements(): Requirement[] {
    const found: Requirement[] = [];
    if (this.#sees('end')) return found;
    if (!this.#sees('word') && !this.#sees('!')) {
      throw unreadable(`found '${shownText(this.#next.text)}', expected: !, identifier, or 'end of string'`);
    }
    for (;;) {
      found.push(this.#requirement());
      const { type, text } = this.#take();
      if (type === 'end') return found;
      if (type !== ',') throw unreadable(`found '${shownText(text)}', expected: ',' or 'end of string'`);
      if (!this.#sees('word') && !this.#sees('!')) {
        throw unreadable(`found '${shownText(this.#next.text)}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): Requirement {
    const absent = this.#sees('!');
    if (absent) this.#at++;
    const { type, text: key } = this.#take();
    if (type !== 'word') throw badRequirement(`found '${shownText(key)}', expected: identifier`);
    const problems = labelKeyProblems(key);
    if (problems.length > 0) throw badRequirement(`<nil>: Invalid value: ${shown(key)}: ${problems.join('; ')}`);
    if (absent) return { key, holds: (value) => value === undefined };
    if (this.#sees('end') || this.#sees(',')) return { key, holds: (value) => value !== undefined };
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#values() : new Set([this.#value()]);
    checkValues(key, operator, values);
    return { key, holds: testOf(operator, values) };
  }

  #operator(): Operator {
    const { type, text } = this.#take();
    if (type === 'word' ? text === 'in' || text === 'notin' : BINARY.has(type)) return text as Operator;
    throw badRequirement(`found '${shownText(text)}', expected: in, notin, =, ==, !=, gt, lt`);
  }

  /** The value of `=` and its like: nothing is the empty one. */
  #value(): string {
    if (this.#sees('end') || this.#sees(',')) return '';
    const { type, text } = this.#take();
    if (type !== 'word') throw badRequirement(`found '${shownText(text)}', expected: identifier`);
    return text;
  }

  /** `(a,b)`: what is left out between signs is the empty value. */
  #values(): Set<string> {
    const open = this.#take();
    if (open.type !== '(') throw badRequirement(`found '${shownText(open.text)}' expected: '('`);
    const values = new Set<string>();
    let before: TokenType = '(';
    for (;;) {
      const { type, text } = this.#take();
      if (type === 'word' && before !== 'word') values.add(text);
      else if (type === ',' || type === ')') {
        if (before !== 'word') values.add('');
        if (type === ')') return values;
      } else {
        const expected =
          before === 'word' ? "',' or ')'" : before === '(' ? "',', ')' or identifier" : "',', or identifier";
        throw badRequirement(`found '${shownText(text)}', expected: ${expected}`);
      }
      before = type;
    }
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #sees(type: TokenType): boolean {
    return this.#next.type === type;
  }

  /** The end is never passed. */
  #take(): Token {
    const token = this.#next;
    if (token.type !== 'end') this.#at++;
    return token;
  }
}

const BINARY: ReadonlySet<TokenType> = new Set<TokenType>(['=', '==', '!=', '>', '<']);

function checkValues(key: string, operator: Operator, values: ReadonlySet<string>): void {
  const problems: string[] = [];
  const sorted = values.size > 1 ? [...values].sort() : [...values];
  for (const [index, value] of sorted.entries()) {
    if ((operator === '>' || operator === '<') && integerOf(value) === undefined) {
      const rule = "for 'Gt', 'Lt' operators, the value must be an integer";
      problems.push(`values[${index}]: Invalid value: ${shown(value)}: ${rule}`);
    }
    const rules = labelValueProblems(value);
    if (rules.length > 0)
      problems.push(`values[${index}][${key}]: Invalid value: ${shown(value)}: ${rules.join('; ')}`);
    if (problems.length >= MOST_PROBLEMS) break;
  }
  if (problems.length > 0) throw badRequirement(problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`);
}

/** Values of one requirement whose faults are told. */
const MOST_PROBLEMS = 10;

function testOf(operator: Operator, values: ReadonlySet<string>): Requirement['holds'] {
  const [first = ''] = values;
  switch (operator) {
    case '=':
    case '==':
      return (value) => value === first;
    case '!=':
      return (value) => value !== first;
    case 'in':
      return (value) => value !== undefined && values.has(value);
    case 'notin':
      return (value) => value === undefined || !values.has(value);
    case '>':
    case '<': {
      const bound = integerOf(first)!;
      return (value) => {
        const number = value === undefined ? undefined : integerOf(value);
        return number !== undefined && (operator === '>' ? number > bound : number < bound);
      };
    }
  }
}

function integerOf(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const number = text.startsWith('+') ? BigInt(text.slice(1)) : BigInt(text);
  return number >= LEAST && number <= MOST ? number : undefined;
}

/** A part of a selector as it may stand between apostrophes. */
function shownText(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function badRequirement(why: string) {
  return unreadable(`unable to parse requirement: ${why}`);
}

function unreadable(why: string) {
  return terminal('BadRequest', why);
}
