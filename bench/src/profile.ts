import type { CpuProfile } from './case.ts';
import { ROOT } from './machine.ts';

/** Processor time of one function, callees not counted. */
export interface SelfTime {
  /** `name file:line`, files as seen from the repository. */
  where: string;
  ms: number;
  /** Of all the time in which anything was done. */
  share: number;
}

/** Who used the processor: the functions with the most time of their own, over all profiles. */
export function topFunctions(profiles: readonly CpuProfile[], count: number): SelfTime[] {
  const times = new Map<string, number>();
  let busy = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const named = new Map(nodes.map(({ id, callFrame }) => [id, whereOf(callFrame)]));
    for (const [i, id] of samples.entries()) {
      const where = named.get(id) ?? 'unknown';
      if (where === '(idle)') continue;
      const ms = (timeDeltas[i] ?? 0) / 1000;
      busy += ms;
      times.set(where, (times.get(where) ?? 0) + ms);
    }
  }
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([where, ms]) => ({ where, ms, share: ms / busy }));
}

export function formatProfile(top: readonly SelfTime[]): string {
  return top
    .map(
      ({ where, ms, share }) => `${(share * 100).toFixed(1).padStart(6)} %  ${ms.toFixed(0).padStart(6)} ms  ${where}`,
    )
    .join('\n');
}

function whereOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (functionName.startsWith('(')) return functionName;
  const file = url.replace(/^file:\/\//, '').replace(`${ROOT}/`, '');
  return `${functionName || 'anonymous'}${file ? ` ${file}:${lineNumber + 1}` : ''}`;
}
