import type { DomainFacts, DomainSpec } from './domain.ts';

/** What it costs a domain that runs to become as it is declared. */
export type DomainChange = 'none' | 'live' | 'restart';

/**
 * What a change of its declaration costs a domain that runs. Planner and drivers both ask here, so that what is told is
 * what happens. Interfaces come and go while the guest runs; one that stays keeps its Ethernet address and its MTU for
 * as long as the guest runs. Processors come while the guest runs, as many as it was started to take (`room`), and do not
 * go. Memory, disks, seed, name and power are changed by switching it off. See docs/decisions/0010.
 */
export function domainChange(
  before: DomainSpec,
  after: DomainSpec,
  room: Pick<DomainFacts, 'maxCpus'> = {},
): DomainChange {
  if (switchedOff.some((field) => !sameText(before[field], after[field]))) return 'restart';
  if (after.cpus < before.cpus || after.cpus > Math.max(before.cpus, room.maxCpus ?? 0)) return 'restart';
  for (const port of after.ports) {
    const kept = before.ports.find(({ id }) => id === port.id);
    if (kept && (kept.macAddress !== port.macAddress || kept.mtuBytes !== port.mtuBytes)) return 'restart';
  }
  const live = ({ cpus, ports }: DomainSpec) => [cpus, ...ports.map(({ id }) => id)];
  return sameText(live(before), live(after)) ? 'none' : 'live';
}

const costs = {
  name: 'restart',
  cpus: 'live',
  memoryMiB: 'restart',
  disks: 'restart',
  seed: 'restart',
  ports: 'live',
  power: 'restart',
} as const satisfies Record<keyof DomainSpec, DomainChange>;
const switchedOff = (Object.keys(costs) as (keyof typeof costs)[]).filter((field) => costs[field] === 'restart');

/** A guest keeps about 250 KiB of its memory for each processor that may come. */
const ROOM_FACTOR = 4;
const MOST_ROOM = 64;

/** How many processors a domain that is started with so many can have while it runs: four times as many, up to 64. */
export function processorRoom(cpus: number): number {
  return Math.max(cpus, Math.min(ROOM_FACTOR * cpus, MOST_ROOM));
}

/** What is known of a domain of that size that was just started. */
export function bootedFacts(cpus: number): DomainFacts {
  const maxCpus = processorRoom(cpus);
  return { state: 'running', reason: 'booted', ...(maxCpus > cpus ? { maxCpus } : {}) };
}

function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
