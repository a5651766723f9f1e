/**
 * What differs from a Kubernetes API server on purpose: the table in docs/kubernetes-differences.md, read as data. A row names
 * cases, the place in the answer, and both values; `*` stands for any text, `absent` for nothing there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Difference } from './compare.ts';

export const PAGE: string = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'kubernetes-differences.md');

export interface Row {
  text: string;
  matches(difference: Difference): boolean;
}

/** The rows of the table. Throws when one of them cannot be read. */
export function deliberateRows(page: string = readFileSync(PAGE, 'utf8')): Row[] {
  const lines = page.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((text) => {
    const cells = text
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|'));
    const [cases, place, theirs, ours, why] = cells;
    if (cells.length !== 5 || !why) throw new Error(`the row needs five cells, the last one with the reason: ${text}`);
    const checks = { where: glob(cases!), path: glob(place!), theirs: glob(theirs!), ours: glob(ours!) };
    const matches = (difference: Difference) =>
      checks.where.test(difference.where) &&
      checks.path.test(difference.path) &&
      checks.theirs.test(valueText(difference.theirs)) &&
      checks.ours.test(valueText(difference.ours));
    return { text, matches };
  });
}

function glob(cell: string): RegExp {
  const choices = [...cell.matchAll(/`([^`]*)`/g)].map((match) => match[1]!);
  if (choices.length === 0) throw new Error(`a cell names what it means in backticks: ${cell}`);
  const one = (text: string) =>
    text
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*');
  return new RegExp(`^(${choices.map(one).join('|')})$`);
}

function valueText(value: unknown): string {
  if (value === undefined) return 'absent';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
