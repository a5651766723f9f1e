import type { ThingSpec } from './things.ts';

/** What it costs a domain that runs to become as it is declared. */
export type DomainChange = 'none' | 'live' | 'restart';

/**
 * What a change of its declaration costs a domain that runs. Planner and drivers both ask here, so that what is told is
 * what happens. Interfaces come and go while the guest runs; one that stays keeps its Ethernet address and its MTU for
 * as long as the guest runs. Processors, memory, disks, seed, name and power are changed by switching it off.
 */
export function domainChange(before: ThingSpec<'domain'>, after: ThingSpec<'domain'>): DomainChange {
  if (switchedOff.some((field) => !sameText(before[field], after[field]))) return 'restart';
  for (const port of after.ports) {
    const kept = before.ports.find(({ id }) => id === port.id);
    if (kept && (kept.macAddress !== port.macAddress || kept.mtuBytes !== port.mtuBytes)) return 'restart';
  }
  const ids = (spec: ThingSpec<'domain'>) => spec.ports.map(({ id }) => id);
  return sameText(ids(before), ids(after)) ? 'none' : 'live';
}

const costs = {
  name: 'restart',
  cpus: 'restart',
  memoryMiB: 'restart',
  disks: 'restart',
  seed: 'restart',
  ports: 'live',
  power: 'restart',
} as const satisfies Record<keyof ThingSpec<'domain'>, DomainChange>;
const switchedOff = (Object.keys(costs) as (keyof typeof costs)[]).filter((field) => costs[field] === 'restart');

function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
