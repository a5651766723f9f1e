/** What a person sees of an apply on a terminal: the objects as a tree by project, each with its condition, step and time. */
import { age } from '@plumb/schemas/project/columns-age.ts';
import type { Target } from './follow.ts';
import { printable } from './table.ts';

export type Mark = 'waits' | 'ready' | 'failed';

/** An object as it stands. Times in milliseconds since the epoch. */
export interface Leaf {
  target: Target;
  mark: Mark;
  /** Its condition, in words. */
  said: string;
  /** The one word of it. */
  reason?: string;
  /** What is done for it now: `make disk root on sim-0 (3 of 6)`. */
  step?: string | undefined;
  began: number;
  /** When it came to its end. */
  ended?: number;
}

export interface Size {
  columns: number;
  rows: number;
}

const SIGNS: Readonly<Record<Mark, string>> = { waits: '·', ready: '✓', failed: '✗' };
/** Lines that are left to the person: the prompt's own, and one above. */
const MARGIN = 2;
const NAME = 40;

/**
 * The lines, none longer than the terminal is wide, and no more than it has. Where they are too many, what is ready goes first, then
 * what waits; how many are not shown is said.
 */
export function treeLines(leaves: readonly Leaf[], head: string, { columns, rows }: Size, now: number): string[] {
  const projects = Map.groupBy(leaves, ({ target }) => target.namespace ?? '');
  // A line for each project, one for what is not shown, one for the head.
  const room = Math.max(1, rows - MARGIN - projects.size - 2);
  const shown = new Set(mostTelling(leaves, room));
  const lines = [head];
  for (const [project, of] of projects) {
    const own = of.filter((leaf) => shown.has(leaf));
    if (own.length === 0) continue;
    lines.push(project === '' ? 'estate' : `project ${printable(project)}`);
    lines.push(...own.map((leaf, i) => `${i === own.length - 1 ? '└─' : '├─'} ${leafText(leaf, now)}`));
  }
  const hidden = leaves.filter((leaf) => !shown.has(leaf));
  if (hidden.length > 0) lines.push(`… ${countWords(hidden)}`);
  return lines.map((line) => cut(line, columns));
}

/** In their own order. */
function mostTelling(leaves: readonly Leaf[], room: number): readonly Leaf[] {
  if (leaves.length <= room) return leaves;
  const order: Record<Mark, number> = { failed: 0, waits: 1, ready: 2 };
  const kept = new Set([...leaves].sort((a, b) => order[a.mark] - order[b.mark]).slice(0, room));
  return leaves.filter((leaf) => kept.has(leaf));
}

function leafText({ target, mark, said, reason = said, step, began, ended }: Leaf, now: number): string {
  const name = `${target.resource.singular}/${target.name}`;
  const time = age(Math.max(0, (ended ?? now) - began));
  const what = printable(step === undefined ? said : reason === '' ? step : `${reason}: ${step}`);
  return `${SIGNS[mark]} ${name.padEnd(Math.min(NAME, Math.max(24, name.length)))} ${time.padStart(4)}  ${what}`.trimEnd();
}

function countWords(leaves: readonly Leaf[]): string {
  const count = (mark: Mark) => leaves.filter((leaf) => leaf.mark === mark).length;
  const parts = [
    [count('failed'), 'failed'],
    [count('waits'), 'waiting'],
    [count('ready'), 'ready'],
  ].filter(([number]) => number !== 0);
  return `and ${parts.map(([number, word]) => `${number} ${word}`).join(', ')}`;
}

function cut(line: string, columns: number): string {
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
}
