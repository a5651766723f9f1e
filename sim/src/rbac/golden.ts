/** The sample of Kubernetes' decisions that is kept: cases are made anew from their seed, and known by a hash. */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { Dice } from '../core/dice.ts';
import type { Answers } from './decide.ts';
import { type Case, randomCase } from './random-policy.ts';

export const GOLDEN = join(import.meta.dirname, 'testdata', 'decisions.json');

/** Of one policy. */
export const REQUESTS = 20;

/** Hash of the case; then a digit for each request and each pair of rules: 1 for allowed, and for covered. */
export type Recorded = [sha256: string, allowed: string, covers: string];

export function caseOf(seed: string, number: number): Case {
  return randomCase(new Dice(`rbac/${seed}/${number}`), REQUESTS);
}

export function recorded(of: Case, { allowed, covers }: Pick<Answers, 'allowed' | 'covers'>): Recorded {
  const digits = (list: readonly boolean[]) => list.map(Number).join('');
  return [hash('sha256', JSON.stringify(of)).slice(0, 16), digits(allowed), digits(covers)];
}
