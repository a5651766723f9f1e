/** A sample of what Kubernetes' own authorizer decided; `npm run soak -- --rbac N` asks it about any number of others. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decideAll } from './decide.ts';
import { caseOf, GOLDEN, type Recorded, recorded } from './golden.ts';

const { seed, cases } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { seed: string; cases: Recorded[] };

test('10,000 decisions are those of Kubernetes', () => {
  const wrong: string[] = [];
  for (const [number, theirs] of cases.entries()) {
    const of = caseOf(seed, number);
    const ours = recorded(of, decideAll(of));
    // Another hash says that the cases are made otherwise now: record them anew.
    if (ours.join() !== theirs.join()) wrong.push(`policy ${number}: ${ours}, Kubernetes ${theirs}`);
  }
  expect(wrong).toEqual([]);
  expect(cases.length * 20).toBeGreaterThanOrEqual(10_000);
});

test('the sample has decisions of every sort', () => {
  const all = cases.flatMap(([, allowed], number) =>
    caseOf(seed, number).requests.map((request, i) => ({ ...request, is: allowed[i] })),
  );
  const count = (is: string, which: (request: (typeof all)[number]) => boolean) =>
    all.filter((one) => one.is === is && which(one)).length;
  for (const is of ['0', '1']) {
    expect(count(is, ({ path }) => path !== '')).toBeGreaterThan(50);
    expect(count(is, ({ subresource }) => subresource !== '')).toBeGreaterThan(50);
    expect(count(is, ({ user }) => user.startsWith('system:serviceaccount:'))).toBeGreaterThan(50);
    expect(cases.flatMap(([, , covers]) => [...covers]).filter((one) => one === is).length).toBeGreaterThan(300);
  }
});
