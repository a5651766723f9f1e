/** JSON objects one after the other, with nothing or `---` between them, as `jq` and many generators write them. */

export interface JsonPart {
  text: string;
  /** Line of the whole text on which it begins, from 1 on. */
  line: number;
}

/**
 * The objects of the text; undefined when it is no such stream: it does not begin with a JSON object, or holds only one. The last
 * part may be no JSON: what is wrong with it is for its reader to say.
 */
export function jsonParts(text: string): JsonPart[] | undefined {
  const parts: JsonPart[] = [];
  let at = skipBetween(text, 0);
  let line = 1;
  let counted = 0;
  while (at < text.length) {
    line += newlines(text, counted, at);
    counted = at;
    const end = text[at] === '{' ? endOfObject(text, at) : text.length;
    const part = text.slice(at, end);
    // The first decides: YAML may begin with a brace, too.
    if (parts.length === 0 && !isJson(part)) return undefined;
    parts.push({ text: part, line });
    at = skipBetween(text, end);
  }
  return parts.length > 1 ? parts : undefined;
}

const BETWEEN = /(?:\s|---(?=\s|\{|$))*/y;

function skipBetween(text: string, from: number): number {
  BETWEEN.lastIndex = from;
  BETWEEN.exec(text);
  return BETWEEN.lastIndex;
}

/** Behind the brace that closes the one at `from`; the end of the text when nothing does. */
function endOfObject(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at);
        break;
      case 0x7b:
      case 0x5b:
        depth++;
        break;
      case 0x7d:
      case 0x5d:
        if (--depth === 0) return at + 1;
    }
  }
  return text.length;
}

/** The quote that closes the one at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
