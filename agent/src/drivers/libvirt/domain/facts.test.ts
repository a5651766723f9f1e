import type { DomainFacts, Thing } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { chooseMachine } from './accelerator.ts';
import { domainDrift, domainFacts, maxProcessors, sizeNeedsRestart } from './facts.ts';

test.each<[string, number, number, DomainFacts]>([
  ['running since it was booted', 1, 1, { state: 'running', reason: 'booted' }],
  ['running since it was resumed', 1, 5, { state: 'running', reason: 'booted' }],
  ['paused by a full disk', 3, 5, { state: 'running', reason: 'booted' }],
  ['shutting down', 4, 1, { state: 'running', reason: 'booted' }],
  ['off by itself', 5, 1, { state: 'off', reason: 'shutdown' }],
  ['off by virsh destroy', 5, 2, { state: 'off', reason: 'destroyed' }],
  ['off by a crash', 5, 3, { state: 'off', reason: 'crashed' }],
  ['off since it failed to start', 5, 6, { state: 'off', reason: 'unknown' }],
  ['gone while libvirtd was away', 5, 8, { state: 'off', reason: 'crashed' }],
  ['off for nobody knows why', 5, 0, { state: 'off', reason: 'unknown' }],
  ['crashed', 6, 1, { state: 'off', reason: 'crashed' }],
  ['in no state', 0, 0, { state: 'off', reason: 'unknown' }],
])('a domain %s', (_what, state, reason, facts) => {
  expect(domainFacts({ state, reason })).toEqual(facts);
});

test('what differs is told: pause, sleep, processors, memory', () => {
  const thing = { kind: 'domain', id: 'x', owner: 'x', spec: { cpus: 1, memoryMiB: 128 } } as Thing<'domain'>;
  const info = { state: 1, cpus: 1, maxMemoryKiB: 128 * 1024 };
  const running = { state: 1, reason: 1 };
  expect(domainDrift(thing, running, info)).toEqual([]);
  expect(domainDrift(thing, { state: 3, reason: 1 }, info)).toEqual(['it is paused: someone paused it']);
  expect(domainDrift(thing, { state: 7, reason: 0 }, info)).toEqual(['the guest put itself to sleep']);
  expect(domainDrift(thing, running, { ...info, cpus: 2, maxMemoryKiB: 64 * 1024 })).toEqual([
    'it has 2 processors, 1 are declared',
    'it has 64 MiB of memory, 128 are declared',
  ]);
});

const guest = (arch: string, domains: string) =>
  `<guest><os_type>hvm</os_type><arch name="${arch}"><emulator>/usr/bin/qemu-${arch}</emulator>${domains}</arch></guest>`;
const both = guest('i686', '<domain type="qemu"/>') + guest('x86_64', '<domain type="qemu"/><domain type="kvm"/>');
const capabilities = (guests: string) => `<capabilities><host/>${guests}</capabilities>`;

test.each([
  ['KVM that libvirt offers and the processor has', both, 'flags\t\t: fpu vmx sse', 'kvm'],
  ['KVM of the other maker', both, 'flags\t\t: fpu svm', 'kvm'],
  ['a /dev/kvm without virtualization behind it', both, 'flags\t\t: fpu sse', 'tcg'],
  ['a processor whose KVM libvirt does not offer', guest('x86_64', '<domain type="qemu"/>'), 'flags : vmx', 'tcg'],
])('%s', (_what, guests, cpuInfo, accelerator) => {
  expect(chooseMachine(capabilities(guests), cpuInfo)).toEqual({ accelerator, emulator: '/usr/bin/qemu-x86_64' });
});

test('a machine that can run no x86_64 guests is refused', () => {
  for (const guests of ['', guest('aarch64', '<domain type="kvm"/>')])
    expect(() => chooseMachine(capabilities(guests), '')).toThrow(
      expect.objectContaining({ reason: 'HostUnsupported', retry: 'terminal' }),
    );
});

test.each([
  ["<domain><vcpu placement='static' current='1'>4</vcpu></domain>", 4],
  ["<domain><vcpu placement='static'>2</vcpu></domain>", 2],
  ['<domain><vcpu>1</vcpu></domain>', 1],
  ['<domain/>', undefined],
])('what runs can have so many processors: %s', (xml, most) => {
  expect(maxProcessors(xml)).toBe(most);
});

test.each<[string, number, number, number | undefined, boolean]>([
  ['as declared', 2, 112, 4, false],
  ['fewer than declared, with room', 1, 112, 2, false],
  ['fewer than declared, with too little room', 1, 112, 1, true],
  ['fewer than declared, and nobody knows the room', 1, 112, undefined, true],
  ['more than declared', 3, 112, 4, true],
  ['other memory', 2, 96, 4, true],
])('a size needs a restart or not: %s', (_what, cpus, memoryMiB, most, restart) => {
  const spec = { name: 'w', cpus: 2, memoryMiB: 112, disks: [], ports: [], power: 'Running' as const };
  const thing: Thing<'domain'> = { kind: 'domain', id: 'd', owner: 'o', spec };
  expect(sizeNeedsRestart(thing, { state: 1, cpus, maxMemoryKiB: memoryMiB * 1024 }, most)).toBe(restart);
});
