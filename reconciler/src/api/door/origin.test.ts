import { expect, test } from 'vitest';
import { isLoopback, originOf, plainAddress, rangesOf } from './origin.ts';

test.each([
  ['203.0.113.5', '203.0.113.5'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::203.0.113.5', '64:ff9b:0:0::/64'],
  ['', ''],
])('%s counts as %s', (address, origin) => {
  expect(originOf(address)).toBe(origin);
});

test('an address is itself, however it is carried', () => {
  expect(plainAddress('::ffff:203.0.113.5')).toBe('203.0.113.5');
  expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
  expect(plainAddress(undefined)).toBe('');
});

test('loopback is this machine alone', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1'].map(isLoopback)).toEqual([true, true, true]);
  expect(['128.0.0.1', '::2', '10.0.0.1', '', 'localhost'].map(isLoopback)).toEqual(Array(5).fill(false));
});

test('ranges hold addresses of both families', () => {
  const inside = rangesOf(['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'], '--trusted-proxy');
  expect(['192.0.2.200', '2001:db8:9::1', '198.51.100.7'].map(inside)).toEqual([true, true, true]);
  expect(['192.0.3.1', '2001:db9::1', '198.51.100.8', ''].map(inside)).toEqual(Array(4).fill(false));
  expect(() => rangesOf(['everybody'], '--trusted-proxy')).toThrow('--trusted-proxy must be an address or a range');
  expect(() => rangesOf(['10.0.0.0/99'], '--trusted-proxy')).toThrow(/--trusted-proxy/);
});
