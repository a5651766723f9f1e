/**
 * What is handed out on each host, counted from what instances hold: a record of it that cannot be read, or that says
 * something else, is written anew at the start. A host would stay full, or be filled beyond its size, otherwise.
 */
import { type Amounts, type Claims, equalAmounts, INSTANCES, NOTHING, plus, sameShare } from '../plan/claims.ts';
import { isKey } from '../store/check.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { MAX_BATCH_KEYS, type Store } from '../store/store.ts';
import type { AllocationIndex } from './allocation-index.ts';
import { writeUse } from './host-use.ts';

export class HostCount {
  readonly #uses = new Map<string, Amounts>();

  /** An instance holds these; -1: it holds them no more. */
  add(held: readonly Claims[], sign: 1 | -1): void {
    for (const [i, share] of held.entries()) {
      if (held.findIndex((other) => sameShare(other, share)) < i) continue;
      this.#uses.set(share.host, plus(this.use(share.host), share.amounts, sign));
    }
  }

  use(host: string): Amounts {
    return this.#uses.get(host) ?? NOTHING;
  }

  hosts(): Iterable<string> {
    return this.#uses.keys();
  }
}

/**
 * Writes the records anew that cannot be read or cannot be true. `index` and `count` are of one revision; `unknown`: how many
 * instances there are of which it is not known what they hold. Before they follow the store. Returns the names of the hosts.
 */
export async function correctUses(
  store: Store,
  index: AllocationIndex,
  count: HostCount,
  unknown: number,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const host of new Set([...index.uses().keys(), ...count.hosts()])) {
    if (!isKey(keys.hostAllocation(host))) continue; // a damaged name, of no host
    const kept = index.uses().get(host);
    if (kept?.unread || !mayBe(kept?.use ?? NOTHING, count.use(host), unknown)) wrong.push(host);
  }
  for (let at = 0; at < wrong.length; at += MAX_BATCH_KEYS) {
    const hosts = wrong.slice(at, at + MAX_BATCH_KEYS);
    const committed = store.commit({
      preconditions: hosts.map((host) => ({
        key: keys.hostAllocation(host),
        revision: index.uses().get(host)?.revision ?? 0,
      })),
      ops: hosts.map((host) => ({
        type: 'put',
        key: keys.hostAllocation(host),
        value: writeUse(count.use(host), index.uses().get(host)?.others),
      })),
    });
    await committed.catch((error) => {
      // Another process hands out there meanwhile: what was counted is not so any more, and the next start counts again.
      if (!(error instanceof ConflictError)) throw error;
    });
  }
  return wrong;
}

/** Whether what is more in the record than was counted can be what is not known. */
function mayBe(kept: Amounts, counted: Amounts, unknown: number): boolean {
  const more = (kept[INSTANCES] ?? 0) - (counted[INSTANCES] ?? 0);
  if (more === 0) return equalAmounts(kept, counted);
  return more > 0 && more <= unknown && plus(kept, counted, -1).every((amount) => amount >= 0);
}
