/** What counts of what a host claims to have: no more than its Host declares, or than is plausible. Pure. */
import { type Host, type PlumbError, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { HostFacts } from './fleet.ts';

export interface Capacity {
  /** Before overcommit. */
  cpus: number;
  memoryMiB: number;
  /** Why the host gets no new instances. */
  problem?: PlumbError;
}

/** With a problem, what was claimed counts as nothing: only a person can say what the host has. */
export function capacityOf(
  { spec }: Host,
  claimed: Pick<HostFacts, 'cpus' | 'memoryMiB'>,
  { hostCpus, hostMemoryMiB }: Pick<ServerLimits, 'hostCpus' | 'hostMemoryMiB'>,
): Capacity {
  const excess: string[] = [];
  const count = (claim: number, declared: number | undefined, limit: number, what: string) => {
    if (declared !== undefined) return Math.min(claim, declared);
    if (claim <= limit) return claim;
    excess.push(`${claim} ${what}, more than ${limit}`);
    return 0;
  };
  const cpus = count(claimed.cpus, spec.capacity?.cpus, hostCpus, 'CPUs');
  const memoryMiB = count(claimed.memoryMiB, spec.capacity?.memoryMiB, hostMemoryMiB, 'MiB of memory');
  if (excess.length === 0) return { cpus, memoryMiB };
  const message = `its agent claims ${excess.join(' and ')}: it gets no new instances until spec.capacity says what it has`;
  return { cpus, memoryMiB, problem: retryable('ImplausibleCapacity', message) };
}
