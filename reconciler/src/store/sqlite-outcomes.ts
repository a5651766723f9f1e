import { ConflictError } from './errors.ts';
import { CREATED, UNCHANGED } from './sqlite-messages.ts';
import type { Batch, Change, Op } from './store.ts';

/** What became of a batch that was carried out. */
export type Outcome = { conflict: ConflictError } | { revision: number; changes: Change[] };

/** Reads the outcomes of batches, one after the other, as sqlite-messages.ts describes them. */
export function readOutcomes(outcomes: readonly number[], valueAt: (id: number) => string): (batch: Batch) => Outcome {
  let at = 0;
  return ({ preconditions, ops }) => {
    const revision = outcomes[at++]!;
    if (revision < 0) {
      const wrong = outcomes.slice(at, at - revision);
      at -= revision;
      return { conflict: new ConflictError(wrong.map((i) => preconditions[i]!.key)) };
    }
    const changes: Change[] = [];
    for (const op of ops) {
      const before = outcomes[at++]!;
      if (before !== UNCHANGED) changes.push(changeOf(op, before, valueAt));
    }
    return { revision, changes };
  };
}

/** What was there before is read when somebody asks: few do, and it can be long. */
function changeOf(op: Op, before: number, valueAt: (id: number) => string): Change {
  const { key } = op;
  const value = op.type === 'put' ? op.value : undefined;
  if (before === CREATED) return { key, value, previous: undefined };
  return {
    key,
    value,
    get previous() {
      return valueAt(before);
    },
  };
}
