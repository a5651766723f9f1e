/** Which fields stand twice in one object of a JSON text, which JSON.parse does not tell. One pass over the text. */

/** As many as Kubernetes names. */
const MOST_NAMED = 100;
/** Characters of a path that are shown. */
const MOST_PATH = 256;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** An object or a list that is open. */
interface Open {
  /** The names so far; undefined for a list. */
  names: Set<string> | undefined;
  /** The field that is being read. */
  name: string;
  /** The item that is being read. */
  index: number;
}

export interface Twice {
  /** Paths of the first ones, e.g. `spec.interfaces[0].name`. */
  paths: string[];
  /** Whether there are no others. */
  all: boolean;
}

/** `text`: JSON that JSON.parse takes, and that lies no deeper than is allowed. */
export function fieldsTwice(text: string): Twice {
  const found: string[] = [];
  const opened: Open[] = [];
  let inside: Open | undefined;
  /** Whether the next string is the name of a field. */
  let named = false;
  for (let at = 0; at < text.length && found.length < MOST_NAMED; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (named) {
        const { names } = inside!;
        inside!.name = nameOf(text, at, end);
        if (names!.has(inside!.name)) found.push(pathOf(opened));
        else names!.add(inside!.name);
        named = false;
      }
      at = end;
    } else if (code === COMMA) {
      if (inside!.names) named = true;
      else inside!.index++;
    } else if (code === OPEN || code === OPEN_LIST) {
      named = code === OPEN;
      inside = { names: named ? new Set() : undefined, name: '', index: 0 };
      opened.push(inside);
    } else if (code === CLOSE || code === CLOSE_LIST) {
      opened.pop();
      inside = opened.at(-1);
      named = false;
    }
  }
  return { paths: found, all: found.length < MOST_NAMED };
}

/** Place of the closing quote of the string that opens at `from`. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((end - before) % 2 === 0) return end;
  }
}

function nameOf(text: string, from: number, end: number): string {
  const plain = text.slice(from + 1, end);
  return plain.includes('\\') ? (JSON.parse(text.slice(from, end + 1)) as string) : plain;
}

/** As Kubernetes writes it. */
function pathOf(opened: readonly Open[]): string {
  let path = '';
  for (const { names, name, index } of opened) {
    if (path.length > MOST_PATH) break;
    path += names ? `${path === '' ? '' : '.'}${name.slice(0, MOST_PATH)}` : `[${index}]`;
  }
  return path.length > MOST_PATH ? `${path.slice(0, MOST_PATH)}…` : path;
}
