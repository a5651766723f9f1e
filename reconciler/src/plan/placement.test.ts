import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPUS, MEMORY_MIB } from './claims.ts';
import { type PlacementHost, type PlacementRequest, place } from './placement.ts';

interface Sizes {
  cpus: number;
  memoryMiB: number;
  usedCpus: number;
  usedMemoryMiB: number;
}

const host = (
  name: string,
  { cpus = 8, memoryMiB = 8192, usedCpus = 0, usedMemoryMiB = 0, ...more }: Partial<PlacementHost & Sizes> = {},
): PlacementHost => ({
  name,
  zone: 'home',
  labels: {},
  connected: true,
  unschedulable: false,
  has: [cpus, memoryMiB],
  used: [usedCpus, usedMemoryMiB],
  groupCount: 0,
  ...more,
});
const request = ({
  cpus = 1,
  memoryMiB = 1024,
  ...more
}: Partial<PlacementRequest & Sizes> = {}): PlacementRequest => ({
  zone: 'home',
  amounts: [cpus, memoryMiB, 1],
  selectors: [],
  ...more,
});

describe('placement', () => {
  it('takes the least used host, and the first name among equals', () => {
    expect(place(request(), [host('b'), host('a'), host('c', { usedMemoryMiB: 2048 })])).toBe('a');
    expect(place(request(), [host('a', { usedCpus: 4 }), host('b', { usedMemoryMiB: 1024 })])).toBe('b');
  });

  it('spreads a group over hosts, and over the values of a label', () => {
    expect(place(request(), [host('a', { groupCount: 1 }), host('b', { usedCpus: 7 })])).toBe('b');
    const rack = (r: string) => ({ labels: { rack: r } });
    const hosts = [
      host('a1', { ...rack('a'), groupCount: 1 }),
      host('a2', rack('a')),
      host('b1', { ...rack('b'), usedCpus: 6 }),
    ];
    expect(place(request({ spreadLabel: 'rack' }), hosts)).toBe('b1');
  });

  it.each([
    ['NoCapacity', 'retry', [host('a', { usedMemoryMiB: 8000 })], '1 have too little free memory'],
    ['NoCapacity', 'retry', [host('a', { unschedulable: true })], '1 are cordoned'],
    ['NoHostReady', 'retry', [host('a', { connected: false })], '1 are not connected'],
    ['NoHostReady', 'retry', [], 'the zone has no hosts'],
    ['NoHostFits', 'terminal', [host('a', { memoryMiB: 512 })], '1 are too small'],
  ] as const)('says %s (%s)', (reason, retry, hosts, words) => {
    expect(() => place(request(), hosts)).toThrow(expect.objectContaining({ reason, retry }));
    expect(() => place(request(), hosts)).toThrow(words);
  });

  it('names the selector that no host matches', () => {
    const selectors = [{ what: 'spec.hostSelector', matchLabels: { gpu: 'yes' } }];
    expect(() => place(request({ selectors }), [host('a'), host('b')])).toThrow('2 do not match spec.hostSelector');
  });

  it('never fills a host beyond what it has, and does not depend on the order of hosts', () => {
    const anyHost = fc.record({
      usedCpus: fc.nat(9),
      usedMemoryMiB: fc.nat(9000),
      unschedulable: fc.boolean(),
      groupCount: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(anyHost, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (parts, cpus) => {
        const hosts = parts.map((p, i) => host(`h${i}`, p));
        let chosen: string | undefined;
        try {
          chosen = place(request({ cpus }), hosts);
        } catch {
          for (const h of hosts)
            expect(h.unschedulable || h.used[CPUS]! + cpus > 8 || h.used[MEMORY_MIB]! + 1024 > 8192).toBe(true);
          return;
        }
        const target = hosts.find((h) => h.name === chosen)!;
        expect(target.unschedulable).toBe(false);
        expect(target.used[CPUS]! + cpus).toBeLessThanOrEqual(8);
        expect(target.used[MEMORY_MIB]! + 1024).toBeLessThanOrEqual(8192);
        expect(place(request({ cpus }), [...hosts].reverse())).toBe(chosen);
      }),
    );
  });
});
