/**
 * Regular expressions of the sources, and texts that make a backtracking one slow: what leads to a repetition, the repetition very
 * often, and something that does not fit behind it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Expression {
  /** `path:line` of the literal. */
  place: string;
  expression: RegExp;
}

/** A literal where an expression may stand: after a sign that no value ends with, or after a word that expects one. */
const LITERAL =
  /(?:^|[=(,:[!&|?{};]|=>|\breturn\b)\s{0,80}\/((?:[^/\\\n[*]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])(?:[^/\\\n[]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])*)\/([dgimsuvy]*)/g;

/** Every literal in the files below the folder that are no tests. */
export function expressionsBelow(folder: string): Expression[] {
  const found: Expression[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || /\.(test|conformance|e2e)\.ts$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
      if (/^\s*(\*|\/\/|\/\*)/.test(line)) continue;
      for (const [, source = '', flags = ''] of line.matchAll(LITERAL)) {
        const expression = compiled(source, flags.replace('g', ''));
        if (expression) found.push({ place: `${path}:${index + 1}`, expression });
      }
    }
  }
  return found;
}

function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined; // A division, and what looked like an expression behind it.
  }
}

/** Characters that expressions tell apart. */
const SIGNS = [...' \t\n\rabefnxzAZ019_-.,:;/\\|=!<>()[]{}"\'`#@%&*+?~^$'];

/** Texts to try the expression with, each about `length` long. */
export function attacksOn({ source, flags }: RegExp, length: number): string[] {
  const leads = leadsOf(source, flags);
  const single = SIGNS.filter(
    (sign) => source.includes(sign) || new RegExp(source, flags).test(sign) || ' a0'.includes(sign),
  );
  const pumps = [...single, ...single.slice(0, 4).flatMap((a) => single.slice(0, 4).map((b) => a + b))];
  const ends = ['\u0001', '(', '\n\u0001'];
  return leads.flatMap((lead) =>
    pumps.flatMap((pump) => ends.map((end) => lead + pump.repeat(length / pump.length) + end)),
  );
}

/** Texts that the beginning of the expression takes: nothing, and the letters that stand before its repetitions. */
function leadsOf(source: string, flags: string): string[] {
  const leads = new Set(['']);
  const plain = source.replace(/^\^/, '');
  let lead = '';
  for (let at = 0; at < plain.length && leads.size < 6; at++) {
    const sign = plain[at]!;
    if (sign === '\\' && /[^a-zA-Z0-9]/.test(plain[at + 1] ?? 'a')) lead += plain[++at];
    else if (/[A-Za-z0-9 :;,=<>"'/_@#%&-]/.test(sign)) lead += sign;
    else if (/[*+?{(|[.]/.test(sign)) {
      if (lead !== '') leads.add(lead);
      // One of what a class or a group takes is guessed: a letter, a digit.
      lead += flags.includes('i') ? 'A' : 'a';
      leads.add(lead);
    }
  }
  return [...leads];
}
