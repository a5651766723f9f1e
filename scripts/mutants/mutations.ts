/** Small faults that can be put into a source, one at a time: what a test suite should notice. Pure. */

export interface Mutation {
  /** Counted from 1. */
  line: number;
  what: string;
  /** What stands in the place of the line. */
  becomes: string;
}

/** Comparisons and connectives, and what each becomes. The formatter puts blanks around them, and around nothing else. */
const SWAPS: readonly [string, string][] = [
  [' === ', ' !== '],
  [' !== ', ' === '],
  [' < ', ' >= '],
  [' > ', ' <= '],
  [' <= ', ' > '],
  [' >= ', ' < '],
  [' && ', ' || '],
  [' || ', ' && '],
  [' ?? ', ' && '],
];

/** A whole statement that does something: a call, or something forgotten. */
const STATEMENT = /^\s+(?:await |delete |void )?[\w.#[\]!?]+\(.*\);(?: \/\/.*)?$/;
/** A statement that ends the function, on a condition. */
const EXIT = /^\s+if \(.*\) (?:return|throw|continue|break)\b.*;(?: \/\/.*)?$/;

/** Every fault that is tried in the source, in the order of its lines. */
export function mutationsOf(source: string): Mutation[] {
  const found: Mutation[] = [];
  let inComment = false;
  for (const [index, line] of source.split('\n').entries()) {
    const bare = line.trim();
    if (bare.startsWith('/*')) inComment = true;
    const isCode = !inComment && !/^(?:\/\/|import |export \*|export type |type |interface |\||\* )/.test(bare);
    if (bare.endsWith('*/')) inComment = false;
    if (!isCode) continue;
    const add = (what: string, becomes: string) => found.push({ line: index + 1, what, becomes });
    if (EXIT.test(line)) add('does not leave', '');
    else if (STATEMENT.test(line)) add('is not done', '');
    const code = withoutTexts(line);
    for (const [from, to] of SWAPS)
      for (let at = code.indexOf(from); at >= 0; at = code.indexOf(from, at + 1))
        add(`${from.trim()} is ${to.trim()}`, line.slice(0, at) + to + line.slice(at + from.length));
  }
  return found;
}

/** The source with the fault in it. */
export function mutated(source: string, { line, becomes }: Pick<Mutation, 'line' | 'becomes'>): string {
  return source
    .split('\n')
    .map((was, index) => (index === line - 1 ? becomes : was))
    .join('\n');
}

/** The line with blanks in the place of texts and comments: what stands in them is no code. */
function withoutTexts(line: string): string {
  return line.replace(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/.*$/g, (text) => '_'.repeat(text.length));
}
