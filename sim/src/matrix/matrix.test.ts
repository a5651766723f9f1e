/**
 * Every flow at every fault point: crashed before an effect, after it, after the journal write and during undo; each
 * step repeated, failed, failed for good; singly, and a part of all pairs (the soak runs more).
 */
import { flowPurposes } from '@plumb/reconciler/flow/record.ts';
import { resourceTypes } from '@plumb/schemas';
import { afterAll, describe, expect, test } from 'vitest';
import { type Fate, pointName } from '../world/fates.ts';
import { type Blow, Coverage, fatesAt, strike } from './run.ts';
import { scenarios } from './scenarios.ts';

const coverage = new Coverage();
const PAIRS_PER_SCENARIO = 8;

for (const scenario of scenarios)
  test(`${scenario.name}: hurt once at every point, and twice at some`, { timeout: 120_000 }, async () => {
    const peace = await strike(scenario, []);
    expect(peace.wrong).toEqual([]);
    const failures: string[] = [];
    const pairs: { blows: Blow[]; hits: string }[] = [];
    for (const [at, point] of peace.points.entries())
      for (const fate of fatesAt(point)) {
        const outcome = await strike(scenario, [{ at, fate }]);
        coverage.add(outcome.fell, [{ at, fate }]);
        if (outcome.fell.length === 0) failures.push(`${pointName(point)} was not reached again`);
        for (const what of outcome.wrong) failures.push(`${at} ${pointName(point)} × ${fate}: ${what}`);
        for (const [then, next] of outcome.points.entries())
          for (const second of secondBlows(fate, fatesAt(next)))
            pairs.push({
              blows: [
                { at, fate },
                { at: then, fate: second },
              ],
              hits: `${pointName(next)} × ${second}`,
            });
      }
    const stride = Math.max(1, Math.floor(pairs.length / PAIRS_PER_SCENARIO));
    const chosen = new Set(pairs.filter((_, i) => i % stride === 0));
    // However the others fall: an undo is hurt in each scenario that has one.
    const undone = pairs.find(({ hits }) => / back: .* × crash/.test(hits));
    if (undone) chosen.add(undone);
    for (const { blows } of chosen) {
      const outcome = await strike(scenario, blows);
      coverage.add(outcome.fell, blows);
      for (const what of outcome.wrong) failures.push(`${JSON.stringify(blows)}: ${what}`);
    }
    expect(failures).toEqual([]);
  });

/** What is worth a second blow: recovery after a crash, and undo after a failure for good. */
function secondBlows(first: Fate, second: Fate[]): Fate[] {
  if (first !== 'fail terminal' && !first.startsWith('crash')) return [];
  return second.filter((fate) => fate.startsWith('crash') || fate === 'fail');
}

describe('every point was reached', () => {
  const crashes: Fate[] = ['crash control', 'crash agent', 'crash both', 'fail', 'repeat'];

  test.each(flowPurposes.flatMap((purpose) => crashes.map((fate) => [purpose, fate] as const)))(
    'flow %s: a step × %s, before and after its effect',
    (purpose, fate) => {
      for (const when of ['before', 'after'])
        expect(coverage.has(`${purpose} forward: `, `, ${when} × ${fate}`), `${purpose} ${when} ${fate}`).toBe(true);
    },
  );

  test.each(flowPurposes)('flow %s: its journal, before and after the write', (purpose) => {
    for (const when of ['before', 'after'])
      expect(coverage.has(`flow ${purpose} forward`, `, ${when} × crash control`)).toBe(true);
    expect(coverage.has(`the end of flow ${purpose}`, 'before × crash control')).toBe(true);
  });

  test.each(flowPurposes.filter((purpose) => purpose !== 'delete'))(
    'flow %s: a step that fails for good',
    (purpose) => {
      expect(coverage.has(`${purpose} forward: `, '× fail terminal')).toBe(true);
    },
  );

  test.each(['create', 'update'])('flow %s: crashed while it is undone', (purpose) => {
    expect(coverage.has(`${purpose} back: `, '× crash')).toBe(true);
  });

  test.each(resourceTypes.types)('%s: made and removed, crashed before and after', (kind) => {
    for (const verb of ['ensure', 'remove'])
      for (const when of ['before', 'after'])
        for (const fate of ['crash control', 'crash agent'])
          expect(coverage.has(`: ${verb} ${kind}, ${when} × ${fate}`), `${verb} ${when} ${fate}`).toBe(true);
  });

  afterAll(() => coverage.hits.clear());
});
