/** Strings and numbers. */
import type { Inherited } from './validate-compile.ts';
import { formats } from './validate-format.ts';
import type { Mistakes } from './validate-mistakes.ts';
import type { SchemaNode } from './validate-schema.ts';

interface Bounds {
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
}

/** A longer string that must match an expression is refused without being matched, if the schema sets no bound of its own. */
const MOST_MATCHED = 4_096;

export function compileString(
  schema: SchemaNode,
  { secret }: Inherited,
): ((text: string, into: Mistakes) => void) | undefined {
  const {
    minLength,
    pattern,
    format,
    maxLength = pattern || (format && format !== 'byte') ? MOST_MATCHED : undefined,
  } = schema as Bounds;
  const expression = pattern === undefined ? undefined : new RegExp(pattern, 'u');
  const form = format === undefined ? undefined : formats[format];
  if (format !== undefined && !form)
    throw new Error(`the format ${format} is not checked: add it to validate-format.ts`);
  if (minLength === undefined && maxLength === undefined && !form) return undefined;
  const wrong = (text: string, into: Mistakes) => {
    if (maxLength !== undefined && isLonger(text, maxLength))
      return into.say(into.words.tooLong(maxLength, lengthOf(text)));
    const { words } = into;
    if (minLength !== undefined && lengthOf(text) < minLength)
      into.say(words.tooShort(minLength, text, secret, into.at()));
    if (expression && !expression.test(text)) into.say(words.mismatch(schema, text, secret, into.at()));
    if (form && !form.holds(text)) into.say(words.malformed(schema, form.words, text, secret, into.at()));
  };
  return (text, into) => {
    const holds =
      !(maxLength !== undefined && isLonger(text, maxLength)) &&
      !(minLength !== undefined && text.length < 2 * minLength && lengthOf(text) < minLength) &&
      !(expression && !expression.test(text)) &&
      !(form && !form.holds(text));
    if (holds) return;
    if (into.isFull) into.addUntold(1);
    else wrong(text, into);
  };
}

function isLonger(text: string, most: number): boolean {
  return text.length > most && (text.length > 2 * most || lengthOf(text) > most);
}

/** A text that is longer is told by its UTF-16 code units: to count characters would read all of it. */
const MOST_COUNTED = 131_072;

/** Characters, as JSON Schema counts them: code points. */
function lengthOf(text: string): number {
  let length = text.length;
  if (length > MOST_COUNTED) return length;
  for (let at = 0; at < text.length; at++)
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && text.codePointAt(at)! > 0xffff) length--;
  return length;
}

export function compileNumber(
  schema: SchemaNode,
  { secret }: Inherited,
): ((number: number, into: Mistakes) => void) | undefined {
  const { minimum, maximum } = schema as Bounds;
  if (minimum === undefined && maximum === undefined) return undefined;
  return (number, into) => {
    if (minimum !== undefined && number < minimum) {
      if (into.isFull) into.addUntold(1);
      else into.say(into.words.tooSmall(minimum, number, secret, into.at()));
    }
    if (maximum !== undefined && number > maximum) {
      if (into.isFull) into.addUntold(1);
      else into.say(into.words.tooLarge(maximum, number, secret, into.at()));
    }
  };
}
