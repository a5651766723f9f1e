/**
 * The YAML of most kubeconfigs: block mappings and sequences of words, as Plumb and kubectl write them. A parser for all of YAML takes
 * as long to load as everything else that a short command does; what this one does not know it leaves to that.
 */

/** A word that YAML 1.2 and 1.1 read as a text, unless {@link OTHER} or {@link NUMBER} says otherwise. */
const WORD = /^[A-Za-z0-9/][A-Za-z0-9+/=_.:@-]*$/;
const OTHER = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
const NUMBER = /^[0-9.:_]+(?:e[-+]?[0-9]+)?$|^0[xob]/i;
const KEY = /^[A-Za-z][A-Za-z0-9_./-]*$/;
const LINE = /^( *)((?:- )*)(.*)$/;

interface Line {
  /** Columns before the text; an item's dash counts as its indentation. */
  indent: number;
  /** Whether an item of a sequence begins here. */
  dash: boolean;
  text: string;
}

class Unknown extends Error {}

/** The value; undefined when the text holds anything that is not known here. */
export function plainYaml(text: string): unknown {
  try {
    const lines = linesOf(text);
    const reader = { lines, at: 0 };
    const value = block(reader, 0);
    return reader.at === lines.length ? value : undefined;
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, spaces = '', dashes = '', rest = ''] = LINE.exec(line)!;
    if (dashes.length > 2 || rest === '' || rest.startsWith('-') || /[\t\r#]|\s$/.test(line)) throw new Unknown();
    if (dashes === '') lines.push({ indent: spaces.length, dash: false, text: rest });
    // `- name: x` is an item, and in it a mapping that begins two columns later.
    else
      lines.push(
        { indent: spaces.length, dash: true, text: '' },
        { indent: spaces.length + 2, dash: false, text: rest },
      );
  }
  return lines;
}

interface Reader {
  lines: readonly Line[];
  at: number;
}

/** Reads the value that begins at this line and is indented by `indent`. */
function block(reader: Reader, indent: number): unknown {
  const first = reader.lines[reader.at];
  if (first?.indent !== indent) throw new Unknown();
  if (first.dash) return sequence(reader, indent);
  // An item that is a word alone.
  if (!/^[^ ]+:( |$)/.test(first.text)) {
    reader.at++;
    return scalar(first.text);
  }
  return mapping(reader, indent);
}

function sequence(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = [];
  for (let line = reader.lines[reader.at]; line?.dash && line.indent === indent; line = reader.lines[reader.at]) {
    reader.at++;
    items.push(block(reader, indent + 2));
  }
  return items;
}

function mapping(reader: Reader, indent: number): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  for (
    let line = reader.lines[reader.at];
    line && !line.dash && line.indent === indent;
    line = reader.lines[reader.at]
  ) {
    const colon = line.text.indexOf(':');
    const key = line.text.slice(0, colon);
    const value = line.text.slice(colon + 1);
    if (colon < 0 || !KEY.test(key) || OTHER.test(key) || fields.has(key)) throw new Unknown();
    reader.at++;
    if (value === '') fields.set(key, below(reader, indent));
    else if (value.startsWith(' ')) fields.set(key, scalar(value.slice(1)));
    else throw new Unknown();
  }
  // Deeper than its neighbours: a text over several lines, or a mistake.
  if ((reader.lines[reader.at]?.indent ?? 0) > indent) throw new Unknown();
  return Object.fromEntries(fields);
}

/** The value of a key that stands alone on its line. Items may stand as far left as the key. */
function below(reader: Reader, indent: number): unknown {
  const next = reader.lines[reader.at];
  if (next && (next.indent > indent || (next.dash && next.indent === indent))) return block(reader, next.indent);
  throw new Unknown();
}

function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === '{}') return {};
  if (text === '[]') return [];
  const [, quoted] = /^"([ !#-[\]-~]*)"$/.exec(text) ?? /^'([ -&(-~]*)'$/.exec(text) ?? [];
  if (quoted !== undefined) return quoted;
  if (!WORD.test(text) || text.endsWith(':') || OTHER.test(text) || NUMBER.test(text)) throw new Unknown();
  return text;
}
