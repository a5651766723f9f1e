/** A sample of what Kubernetes' own field manager made of histories; `npm run soak -- --apply N` plays any number of others. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GOLDEN, historyOf, type Recorded, recorded } from './golden.ts';
import { type Outcome, playAll } from './play.ts';

const { seed, histories } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { seed: string; histories: Recorded[] };
const played = histories.map((theirs, number) => {
  const history = historyOf(seed, number);
  return { theirs, history, outcomes: playAll(history) };
});

test('1,000 histories of several managers end as in Kubernetes, step by step', () => {
  const wrong: string[] = [];
  for (const [number, { theirs, history, outcomes }] of played.entries()) {
    const ours = recorded(history, outcomes);
    // Another hash of the history says that they are made otherwise now: record them anew.
    if (ours.join() !== theirs.join()) wrong.push(`history ${number}: ${ours}, Kubernetes ${theirs}`);
  }
  expect(wrong).toEqual([]);
  expect(histories.length).toBeGreaterThanOrEqual(1_000);
});

test('the sample has steps of every sort', () => {
  const outcomes = played.flatMap((one) => one.outcomes);
  const count = (which: (one: Outcome) => unknown) => outcomes.filter(which).length;
  expect(count(({ conflicts }) => conflicts)).toBeGreaterThan(300);
  expect(count(({ conflicts }) => conflicts && conflicts.length > 1)).toBeGreaterThan(100);
  const managers = ({ object }: Outcome) => (object?.metadata.managedFields as unknown[] | undefined)?.length ?? 0;
  expect(count((one) => managers(one) > 2)).toBeGreaterThan(100);
  expect(count(({ object }) => JSON.stringify(object ?? {}).includes('"subresource":"status"'))).toBeGreaterThan(100);
});
