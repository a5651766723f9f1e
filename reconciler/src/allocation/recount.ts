/**
 * What is handed out on each host, counted from what instances hold: a record of it that cannot be read, or that says
 * something else, is written anew at the start. A host would stay full, or be filled beyond its size, otherwise.
 */
import type { Allocation } from '../plan/allocation.ts';
import { isKey } from '../store/check.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { MAX_BATCH_KEYS, type Store } from '../store/store.ts';
import { type AllocationIndex, type HostUse, noUse, sameShare } from './allocation-index.ts';

export class HostCount {
  readonly #uses = new Map<string, HostUse>();

  /** An instance holds these; -1: it holds them no more. */
  add(held: readonly Allocation[], sign: 1 | -1): void {
    for (const [i, share] of held.entries()) {
      if (held.findIndex((other) => sameShare(other, share)) < i) continue;
      const { host, cpus, memoryMiB } = share;
      const use = this.#uses.get(host) ?? { ...noUse };
      use.cpus += sign * cpus;
      use.memoryMiB += sign * memoryMiB;
      use.instances += sign;
      this.#uses.set(host, use);
    }
  }

  use(host: string): HostUse {
    return this.#uses.get(host) ?? noUse;
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
    if (kept?.unread || !mayBe(kept?.use ?? noUse, count.use(host), unknown)) wrong.push(host);
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
        value: JSON.stringify(count.use(host)),
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
function mayBe(kept: HostUse, counted: HostUse, unknown: number): boolean {
  const more = kept.instances - counted.instances;
  const [cpus, memoryMiB] = [kept.cpus - counted.cpus, kept.memoryMiB - counted.memoryMiB];
  if (more === 0) return cpus === 0 && memoryMiB === 0;
  return more > 0 && more <= unknown && cpus >= 0 && memoryMiB >= 0;
}
