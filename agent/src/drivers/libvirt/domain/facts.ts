/** What libvirt's numbers mean to us (virDomainState and its reasons in libvirt-domain.h). */
import type { DomainFacts, Thing } from '@plumb/schemas';
import { XMLParser } from 'fast-xml-parser';
import type { DomainInfo, DomainState } from '../rpc/procedures.ts';

const state = { paused: 3, off: 5, crashed: 6, asleep: 7 } as const;
const NO_STATE = 0;

/** Reasons of being off: a domain that a restarted libvirtd no longer found (8) had lost its QEMU in between. */
const offReasons: Record<number, DomainFacts['reason']> = { 1: 'shutdown', 2: 'destroyed', 3: 'crashed', 8: 'crashed' };

const pauseReasons: Record<number, string> = {
  1: 'someone paused it',
  5: 'its disk failed or is full',
  7: 'QEMU lost its watchdog',
  10: 'it crashed inside',
};

export function domainFacts(found: DomainState): DomainFacts {
  if (found.state === state.crashed) return { state: 'off', reason: 'crashed' };
  if (found.state === state.off) return { state: 'off', reason: offReasons[found.reason] ?? 'unknown' };
  if (found.state === NO_STATE) return { state: 'off', reason: 'unknown' };
  return { state: 'running', reason: 'booted' };
}

export function isPaused(found: DomainState): boolean {
  return found.state === state.paused;
}

export function isAsleep(found: DomainState): boolean {
  return found.state === state.asleep;
}

/** How the domain differs from its declaration, as sentences. Whether it runs is not drift. */
export function domainDrift(thing: Thing<'domain'>, found: DomainState, info: DomainInfo): string[] {
  const drift = sizeDrift(thing, info);
  if (isPaused(found)) drift.push(`it is paused: ${pauseReasons[found.reason] ?? `libvirt's reason ${found.reason}`}`);
  if (isAsleep(found)) drift.push('the guest put itself to sleep');
  return drift;
}

/** What of the domain's size differs from its declaration, as sentences. */
export function sizeDrift({ spec }: Thing<'domain'>, info: DomainInfo): string[] {
  const drift: string[] = [];
  if (info.cpus !== spec.cpus) drift.push(`it has ${info.cpus} processors, ${spec.cpus} are declared`);
  const memoryMiB = info.maxMemoryKiB / 1024;
  if (memoryMiB !== spec.memoryMiB) drift.push(`it has ${memoryMiB} MiB of memory, ${spec.memoryMiB} are declared`);
  return drift;
}

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '', textNodeName: 'text' });

/** How many processors the QEMU of a running domain can have, by the XML of what runs; undefined when it does not say. */
export function maxProcessors(runningXml: string): number | undefined {
  const vcpu = parser.parse(runningXml).domain?.vcpu;
  const most = Number(typeof vcpu === 'object' ? vcpu.text : vcpu);
  return Number.isSafeInteger(most) && most > 0 ? most : undefined;
}

/** Whether what runs has another size than is declared, and only a restart gives it that. */
export function sizeNeedsRestart(thing: Thing<'domain'>, info: DomainInfo, maxCpus: number | undefined): boolean {
  if (sizeDrift({ ...thing, spec: { ...thing.spec, cpus: info.cpus } }, info).length > 0) return true;
  const { cpus } = thing.spec;
  return cpus < info.cpus || cpus > Math.max(info.cpus, maxCpus ?? 0);
}
