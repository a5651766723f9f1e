/** The words of a label selector (apimachinery, package labels): operators of one or two signs, and everything else. */

export type TokenType = 'word' | 'end' | 'error' | ')' | '(' | ',' | '!' | '=' | '==' | '!=' | '>' | '<';

export interface Token {
  type: TokenType;
  text: string;
}

const OPERATORS: ReadonlySet<string> = new Set([')', '(', ',', '!', '=', '==', '!=', '>', '<']);
const END: Token = { type: 'end', text: '' };

const BLANK = 1;
const SIGN = 2;

/** What a UTF-16 code unit is: a blank, a sign of an operator, or (0) part of a word. */
const classes = new Uint8Array(128);
for (const blank of ' \t\r\n') classes[blank.charCodeAt(0)] = BLANK;
for (const sign of '=!(),><') classes[sign.charCodeAt(0)] = SIGN;

/** The tokens of the text, the last one of type `end`. Reads each character once. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const classAt = (at: number) => classes[text.charCodeAt(at)] ?? 0;
  let at = 0;
  while (at < text.length) {
    const kind = classAt(at);
    if (kind === BLANK) {
      at++;
      continue;
    }
    const from = at++;
    if (kind === SIGN) {
      // The longest operator wins: `!=` and `==` are one each.
      const two = text.slice(from, from + 2);
      if (OPERATORS.has(two)) at++;
    } else while (at < text.length && classAt(at) === 0) at++;
    const word = text.slice(from, at);
    tokens.push({ type: kind === SIGN ? (word as TokenType) : 'word', text: word });
  }
  tokens.push(END);
  return tokens;
}
