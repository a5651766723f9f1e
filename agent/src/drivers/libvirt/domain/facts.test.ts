import type { DomainFacts, HostResource } from '@plumb/schemas';
import { describe, expect, test } from 'vitest';
import { chooseMachine, keptMachine } from './accelerator.ts';
import { domainFacts, isHeld, isHeldByDisk, maxProcessors, sizeDrift, sizeNeedsRestart, stateDrift } from './facts.ts';
import { parseXml } from './xml-tree.ts';

test.each<[string, number, number, DomainFacts]>([
  ['running since it was booted', 1, 1, { state: 'running', reason: 'booted' }],
  ['running since it was resumed', 1, 5, { state: 'running', reason: 'booted' }],
  ['paused by a full disk', 3, 5, { state: 'running', reason: 'booted' }],
  ['shutting down', 4, 1, { state: 'running', reason: 'booted' }],
  ['off by itself', 5, 1, { state: 'off', reason: 'shutdown' }],
  ['off by virsh destroy', 5, 2, { state: 'off', reason: 'destroyed' }],
  ['off by a crash', 5, 3, { state: 'off', reason: 'crashed' }],
  ['off since somebody saved its memory', 5, 5, { state: 'off', reason: 'saved' }],
  ['off since it failed to start', 5, 6, { state: 'off', reason: 'unknown' }],
  ['gone while libvirtd was away', 5, 8, { state: 'off', reason: 'crashed' }],
  ['off for nobody knows why', 5, 0, { state: 'off', reason: 'unknown' }],
  ['crashed', 6, 1, { state: 'off', reason: 'crashed' }],
  ['in no state', 0, 0, { state: 'off', reason: 'unknown' }],
])('a domain %s', (_what, state, reason, facts) => {
  expect(domainFacts({ state, reason })).toEqual(facts);
});

test('what differs is told: sleep, processors, memory', () => {
  const resource = { kind: 'domain', id: 'x', owner: 'x', spec: { cpus: 1, memoryMiB: 128 } } as HostResource<'domain'>;
  const info = { state: 1, cpus: 1, maxMemoryKiB: 128 * 1024 };
  expect(sizeDrift(resource, info)).toEqual([]);
  expect(stateDrift({ state: 1, reason: 1 })).toEqual([]);
  expect(stateDrift({ state: 7, reason: 0 })).toEqual(['the guest put itself to sleep']);
  expect(sizeDrift(resource, { ...info, cpus: 2, maxMemoryKiB: 64 * 1024 })).toEqual([
    'it has 2 processors, 1 are declared',
    'it has 64 MiB of memory, 128 are declared',
  ]);
});

describe('a guest that is paused', () => {
  test.each([2, 3, 4, 8, 9, 11, 12])('while libvirt is at work, reason %i, is no drift and is left alone', (reason) => {
    expect(stateDrift({ state: 3, reason })).toEqual([]);
    expect(isHeld({ state: 3, reason })).toBe(false);
  });

  test.each([0, 1, 6, 7, 10, 13, 14, 99])('for another reason, %i, is drift in words, and is let go', (reason) => {
    expect(stateDrift({ state: 3, reason })).toEqual([expect.stringMatching(/^it is paused: [a-z ,]+$/)]);
    expect(isHeld({ state: 3, reason })).toBe(true);
  });

  test('by its disk is neither: it goes on when there is space', () => {
    expect(stateDrift({ state: 3, reason: 5 })).toEqual([]);
    expect([isHeldByDisk({ state: 3, reason: 5 }), isHeld({ state: 3, reason: 5 })]).toEqual([true, false]);
    expect(isHeldByDisk({ state: 1, reason: 5 })).toBe(false);
  });
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
  expect(chooseMachine(capabilities(guests), cpuInfo)).toMatchObject({ accelerator, emulator: '/usr/bin/qemu-x86_64' });
});

test('a guest keeps the version of its machine as long as this QEMU has it, and gets the newest else', () => {
  const versions = ['pc-q35-6.2', 'pc-q35-7.2', 'pc-i440fx-7.2'].map(
    (name) => `<machine maxCpus="288">${name}</machine>`,
  );
  const alias = '<machine canonical="pc-q35-7.2" maxCpus="288">q35</machine>';
  const machine = chooseMachine(capabilities(guest('x86_64', `${versions.join('')}${alias}<domain type="qemu"/>`)), '');
  expect(keptMachine(machine, undefined)).toBe('pc-q35-7.2');
  expect(keptMachine(machine, 'pc-q35-6.2')).toBe('pc-q35-6.2');
  expect(keptMachine(machine, 'pc-q35-2.4')).toBe('pc-q35-7.2');
  expect(chooseMachine(capabilities(both), '').newest).toBe('q35');
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
  expect(maxProcessors(parseXml(xml))).toBe(most);
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
  const resource: HostResource<'domain'> = { kind: 'domain', id: 'd', owner: 'o', spec };
  expect(sizeNeedsRestart(resource, { state: 1, cpus, maxMemoryKiB: memoryMiB * 1024 }, most)).toBe(restart);
});
