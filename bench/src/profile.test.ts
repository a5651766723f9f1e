import { expect, test } from 'vitest';
import type { CpuProfile } from './case.ts';
import { ROOT } from './machine.ts';
import { formatProfile, topFunctions } from './profile.ts';

const node = (id: number, functionName: string, url = '') => ({ id, callFrame: { functionName, url, lineNumber: 9 } });
const profile: CpuProfile = {
  nodes: [node(1, '(idle)'), node(2, 'plan', `file://${ROOT}/reconciler/src/plan/plan.ts`), node(3, 'writev')],
  samples: [1, 2, 3, 2, 2],
  timeDeltas: [50_000, 1_000, 1_000, 1_000, 1_000],
};

test('functions are ranked by their own time; waiting is no work', () => {
  const top = topFunctions([profile, profile], 5);
  expect(top).toEqual([
    { where: 'plan reconciler/src/plan/plan.ts:10', ms: 6, share: 0.75 },
    { where: 'writev', ms: 2, share: 0.25 },
  ]);
  expect(formatProfile(top)).toBe(
    '  75.0 %       6 ms  plan reconciler/src/plan/plan.ts:10\n  25.0 %       2 ms  writev',
  );
});
