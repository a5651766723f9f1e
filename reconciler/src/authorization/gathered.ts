/**
 * Writes into ClusterRoles that collect others what they have collected, so that people see it. Decisions do not wait for that: they
 * collect for themselves.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Clock, PlumbError } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { PolicyRule } from './policy.ts';
import type { Policy } from './policy-feed.ts';

/** After a conflict, or when the disk refused it. Milliseconds. */
const AGAIN_MS = 1_000;

/** Until `signal` aborts. */
export function keepGathered(store: Store, policy: Policy, clock: Clock, signal: AbortSignal): void {
  let working = false;
  let waiting = false;
  const work = async () => {
    if (working) {
      waiting = true;
      return;
    }
    working = true;
    do {
      waiting = false;
      try {
        await writeAll(store, policy);
      } catch (error) {
        if (!signal.aborted && PlumbError.from(error, 'collecting roles').retry === 'retry') later();
      }
    } while (waiting && !signal.aborted);
    working = false;
  };
  let stop = () => {};
  const later = () => {
    stop();
    stop = clock.after(AGAIN_MS, () => void work());
  };
  signal.addEventListener('abort', () => stop(), { once: true });
  policy.onChanged(() => void work());
  void work();
}

async function writeAll(store: Store, { index }: Policy): Promise<void> {
  for (const role of [...index.aggregated()]) {
    const rules = index.effective(role).map(withoutEmpty);
    if (isDeepStrictEqual(rules, (role.rules ?? []).map(withoutEmpty))) continue;
    const key = keys.object('clusterroles', undefined, role.metadata.name);
    const entry = await store.get(key);
    if (!entry) continue;
    const { rules: _, ...object } = JSON.parse(entry.value) as { rules?: unknown };
    const value = JSON.stringify({ ...object, rules });
    await store.commit({ preconditions: [{ key, revision: entry.revision }], ops: [{ type: 'put', key, value }] });
  }
}

function withoutEmpty(rule: PolicyRule): PolicyRule {
  return Object.fromEntries(Object.entries(rule).filter(([, list]) => list.length > 0)) as unknown as PolicyRule;
}
