/** What libvirt's numbers mean to us (virDomainState and its reasons in libvirt-domain.h). */
import type { DomainFacts, HostResource } from '@plumb/schemas';
import type { DomainInfo, DomainState } from '../rpc/procedures.ts';
import { pauseFor } from './pauses.ts';
import type { XmlElement } from './xml-tree.ts';
import { elementAt } from './xml-tree.ts';

const state = { paused: 3, off: 5, crashed: 6, asleep: 7 } as const;
const NO_STATE = 0;
const PAUSED_CRASHED = 10;

/** Reasons of being off: a domain that a restarted libvirtd no longer found (8) had lost its QEMU in between. */
const offReasons: Record<number, DomainFacts['reason']> = {
  ...{ 1: 'shutdown', 2: 'destroyed', 3: 'crashed', 5: 'saved', 8: 'crashed' },
};

export function domainFacts(found: DomainState): DomainFacts {
  if (found.state === state.crashed) return { state: 'off', reason: 'crashed' };
  if (found.state === state.off) return { state: 'off', reason: offReasons[found.reason] ?? 'unknown' };
  if (found.state === NO_STATE) return { state: 'off', reason: 'unknown' };
  return { state: 'running', reason: 'booted' };
}

function isPaused(found: DomainState): boolean {
  return found.state === state.paused;
}

export function isAsleep(found: DomainState): boolean {
  return found.state === state.asleep;
}

/** How the state of a domain that runs differs from that of one that is well, as sentences. */
export function stateDrift(found: DomainState): string[] {
  if (isAsleep(found)) return ['the guest put itself to sleep'];
  const pause = isPaused(found) ? pauseFor(found.reason) : undefined;
  return pause?.kind === 'drift' ? [`it is paused: ${pause.why}`] : [];
}

/** Whether QEMU holds the guest since one of its disks failed or is full. */
export function isHeldByDisk(found: DomainState): boolean {
  return isPaused(found) && pauseFor(found.reason).kind === 'ioError';
}

/** Whether the guest's kernel gave up and its QEMU waits to be ended: it cannot go on. */
export function gaveUp(found: DomainState): boolean {
  return isPaused(found) && found.reason === PAUSED_CRASHED;
}

/** Whether the guest is to be let go on: it is held, and not by what goes on by itself. */
export function isHeld(found: DomainState): boolean {
  return isPaused(found) && pauseFor(found.reason).kind === 'drift';
}

/** What of the domain's size differs from its declaration, as sentences. */
export function sizeDrift({ spec }: HostResource<'domain'>, info: DomainInfo): string[] {
  const drift: string[] = [];
  if (info.cpus !== spec.cpus) drift.push(`it has ${info.cpus} processors, ${spec.cpus} are declared`);
  const memoryMiB = info.maxMemoryKiB / 1024;
  if (memoryMiB !== spec.memoryMiB) drift.push(`it has ${memoryMiB} MiB of memory, ${spec.memoryMiB} are declared`);
  return drift;
}

/** How many processors the QEMU of a running domain can have, by the XML of what runs; undefined when it does not say. */
export function maxProcessors(running: XmlElement): number | undefined {
  const most = Number(elementAt(running, 'vcpu')?.text);
  return Number.isSafeInteger(most) && most > 0 ? most : undefined;
}

/** Whether what runs has another size than is declared, and only a restart gives it that. */
export function sizeNeedsRestart(
  resource: HostResource<'domain'>,
  info: DomainInfo,
  maxCpus: number | undefined,
): boolean {
  if (sizeDrift({ ...resource, spec: { ...resource.spec, cpus: info.cpus } }, info).length > 0) return true;
  const { cpus } = resource.spec;
  return cpus < info.cpus || cpus > Math.max(info.cpus, maxCpus ?? 0);
}
