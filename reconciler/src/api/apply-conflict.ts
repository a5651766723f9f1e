import { byText, pathText } from '@plumb/schemas/apply/element.ts';
import type { Conflict } from '@plumb/schemas/apply/ownership.ts';
import { managerText } from '@plumb/schemas/apply/track.ts';
import { ApplyConflict } from './failure.ts';

/** What kubectl prints, and what it asks for by the causes. */
export function applyConflict(conflicts: readonly Conflict[]): ApplyConflict {
  const causes = conflicts.map(({ manager, path }) => ({
    message: `conflict with ${managerText(manager)}`,
    field: pathText(path),
  }));
  return new ApplyConflict(sentenceOf(conflicts), causes);
}

function sentenceOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${managerText(first!.manager)}: ${pathText(first!.path)}`;
  const byManager = Map.groupBy(conflicts, ({ manager }) => manager);
  const lines = [...byManager]
    .sort(([a], [b]) => byText(a, b))
    .flatMap(([manager, theirs]) => [
      `conflicts with ${managerText(manager)}:`,
      ...theirs.map(({ path }) => `- ${pathText(path)}`),
    ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}
