import { expect, test } from 'vitest';
import { type Allocation, allocationHolding } from '../plan/allocation.ts';
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
  holdings.set('u', [on('a', 'n1')], allocationHolding);
  holdings.set('u', [on('a', 'n1')], allocationHolding);
  holdings.set('u', [on('a', 'n2')], allocationHolding);
  holdings.forget('u');
  expect(told).toEqual([
    { networks: new Set(['n1']), left: new Set(), freed: new Set() },
    { networks: new Set(['n1', 'n2']), left: new Set(), freed: new Set(['a']) },
    { networks: new Set(['n2']), left: new Set(['a']), freed: new Set(['a']) },
  ]);
});

test('answers by host, network and image, whoever comes and goes', () => {
  const holdings = new Holdings();
  const uid = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
  for (let i = 0; i < 300; i++) holdings.set(uid(i), [on(`h${i % 7}`, `n${i % 3}`, 'n9')], allocationHolding);
  holdings.set(uid(5), [on('h5', 'n2'), on('h6', 'n4')], allocationHolding);
  expect(holdings.on('h6')).toContain(uid(5));
  expect(holdings.networksOn('h6')).toEqual(new Set(['n0', 'n1', 'n2', 'n4', 'n9']));
  expect([...holdings.hostsOfNetwork('n4')]).toEqual(['h6']);
  expect(holdings.usesNetwork('h6', 'n4')).toBe(true);
  expect(holdings.usesImage('h6', 'a')).toBe(true);
  expect(holdings.usesImage('h6', 'b')).toBe(false);
  for (let i = 0; i < 300; i++) if (i % 7 !== 3) holdings.set(uid(i), [], allocationHolding);
  expect(holdings.on('h6')).toEqual([]);
  expect(holdings.on('h3').sort()).toEqual(
    Array.from({ length: 300 }, (_, i) => i)
      .filter((i) => i % 7 === 3)
      .map(uid),
  );
  expect([...holdings.hostsOfNetwork('n9')]).toEqual(['h3']);
  expect([...holdings.hostsOfNetwork('n4')]).toEqual([]);
  for (let i = 0; i < 300; i++) holdings.set(uid(i), [on('h0', 'n0')], allocationHolding);
  expect(holdings.on('h0')).toHaveLength(300);
  expect(holdings.on('h3')).toEqual([]);
});

test('an instance that holds two shares of one host is there once, and counts until both are gone', () => {
  const holdings = new Holdings();
  holdings.set('u', [on('a', 'n1'), on('a', 'n1', 'n2')], allocationHolding);
  expect(holdings.on('a')).toEqual(['u']);
  holdings.set('u', [on('a', 'n1')], allocationHolding);
  expect(holdings.usesNetwork('a', 'n1')).toBe(true);
  expect(holdings.usesNetwork('a', 'n2')).toBe(false);
});
