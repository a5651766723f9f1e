/** A commit beside what is stored: every object of it is judged before the first is written. */
import { PlumbError } from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Identity } from '../../authorization/policy.ts';
import type { Rendered } from '../../git/look.ts';
import type { Context } from '../controller.ts';
import type { GitDoor, GitWrite } from '../git-door.ts';
import { conditionsTo, type Status, writeStatus } from '../status.ts';
import { type Declared, managerOf, sourceOf } from './declared.ts';
import { pruneDecision, withPrune } from './prune.ts';
import { type GitStatus, historyOf, MOST_SAID, reconciling, type Source, short } from './telling.ts';
import { writeCommit } from './write.ts';

const ATOMIC_MS = 600_000;

interface Comparing {
  declared: readonly Declared[];
  found: Rendered;
  isApplied: boolean;
}

/** Judges the whole commit, then writes what differs. Of what others have changed, driftPolicy says what becomes of it. */
export async function compare(
  context: Context,
  door: GitDoor,
  user: Identity,
  cached: Source,
  { declared, found, isApplied }: Comparing,
) {
  const { spec, status: was = {} } = cached.object;
  const manager = managerOf(cached.object);
  const coming = new Set(
    declared.filter(({ kind }) => kind.kind === 'Namespace').map(({ object }) => object.metadata.name),
  );
  const as = { user, manager, takesBack: spec.driftPolicy === 'Repair', coming };
  const staged = await judgeAll(declared, (one) => door.stageApply(one.kind, one.object, as));
  const inventory = declared.map(({ id }) => id);
  const decision = pruneDecision(cached.object, found, inventory);
  const { gone, deleting } = decision;
  if (isApplied && spec.driftPolicy === 'Report') {
    const drifted = staged.map(({ one }) => one.id).sort();
    await writeStatus(context, cached, (status) =>
      withPrune({ ...status, drifted: drifted.length > 0 ? drifted : undefined } as Status, decision),
    );
    return;
  }
  const byKey = new Map(staged.map(({ one, write }) => [write.key, one]));
  const { revision } = found;
  const written = staged.length;
  await writeCommit(context, cached, {
    revision,
    writes: staged.map(({ write }) => write),
    ...(spec.atomic && !isApplied && written > 0 ? { deadlineAt: context.ambient.clock.now() + ATOMIC_MS } : {}),
    again: ({ key }) => door.stageApply(byKey.get(key)!.kind, byKey.get(key)!.object, as),
    status: (status, object) => {
      const { drifted: _, ...rest } = withPrune(status, decision) as GitStatus;
      const isNews = !isApplied || written > 0;
      const event = { revision, result: isApplied ? 'Healed' : 'Applied', written };
      return conditionsTo(
        context,
        {
          ...rest,
          revision,
          source: sourceOf(cached.object),
          inventory: [...inventory, ...gone, ...deleting],
          ...(isNews ? { history: historyOf(context, was, event) } : {}),
        } as Status,
        object,
        isNews
          ? [reconciling('Applying', `the commit ${short(revision)} is applied: ${written} objects were written`)]
          : [],
        isNews ? ['Stalled'] : [],
      );
    },
  });
}

/** What each would store. Throws what is wrong with any of them, before anything is written. */
async function judgeAll(
  declared: readonly Declared[],
  stage: (one: Declared) => Promise<GitWrite | undefined>,
): Promise<{ one: Declared; write: GitWrite }[]> {
  const staged: { one: Declared; write: GitWrite }[] = [];
  const wrong: { id: string; error: PlumbError }[] = [];
  for (const one of declared) {
    try {
      const write = await stage(one);
      if (write) staged.push({ one, write });
    } catch (thrown) {
      wrong.push({ id: one.id, error: PlumbError.from(thrown, one.id) });
    }
  }
  if (wrong.length === 0) return staged;
  const told = wrong.slice(0, MOST_SAID).map(({ id, error }) => `${id}: ${printable(error.message, 400)}`);
  const more = wrong.length > MOST_SAID ? `; and ${wrong.length - MOST_SAID} more` : '';
  const retry = wrong.some(({ error }) => error.retry === 'terminal') ? 'terminal' : 'retry';
  const { reason } = (wrong.find(({ error }) => error.retry === retry) ?? wrong[0]!).error;
  // A conflict with other managers is a fact that is told; one of the store passes.
  throw new PlumbError({
    reason: reason === 'Conflict' ? 'OwnedByOthers' : reason,
    message: `nothing of the commit is applied: ${told.join('; ')}${more}`,
    retry,
  });
}
