import { expect, test } from 'vitest';
import type { Allocation } from '../plan/allocation.ts';
import { Holdings, type HoldingsChange } from './holdings.ts';

const on = (host: string, ...networks: string[]): Allocation => ({
  host,
  cpus: 1,
  memoryMiB: 128,
  rootDisk: { id: 'd', imageUid: 'i', sha256: 'a', format: 'raw' },
  interfaces: networks.map((l3NetworkUid, n) => ({
    name: `eth${n}`,
    l3Network: `default/${l3NetworkUid}`,
    l3NetworkUid,
    macAddress: '02:00:00:00:00:01',
    addresses: [],
  })),
});

test('tells which networks and hosts an instance came to or left, and when others may get something', () => {
  const holdings = new Holdings();
  const told: HoldingsChange[] = [];
  holdings.onChange((change) => told.push(change));
  holdings.set('u', [on('a', 'n1')]);
  holdings.set('u', [on('a', 'n1')]);
  holdings.set('u', [on('a', 'n2')]);
  holdings.set('u', []);
  expect(told).toEqual([
    { networks: new Set(['n1']), left: new Set(), freed: false },
    { networks: new Set(['n1', 'n2']), left: new Set(), freed: true },
    { networks: new Set(['n2']), left: new Set(['a']), freed: true },
  ]);
});
