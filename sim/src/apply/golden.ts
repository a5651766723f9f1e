/** The sample of what Kubernetes made of histories: they are made anew from their seed, and known by a hash. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { Dice } from '../core/dice.ts';
import { type History, randomHistory } from './histories.ts';
import { type Outcome, plain } from './play.ts';

export const GOLDEN = join(import.meta.dirname, 'testdata', 'histories.json');

/** Hash of the history, and one of each outcome. */
export type Recorded = [history: string, outcomes: string];

export function historyOf(seed: string, number: number): History {
  return randomHistory(new Dice(`apply/${seed}/${number}`));
}

export function recorded(history: History, outcomes: readonly Outcome[]): Recorded {
  const short = (value: unknown) => hash('sha256', JSON.stringify(value)).slice(0, 8);
  return [short(history), outcomes.map((one) => short(plain(one))).join(' ')];
}
