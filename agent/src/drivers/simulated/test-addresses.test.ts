import { expect, test } from 'vitest';
import { testAddresses } from './test-addresses.ts';

const addressesOf = (count: number, seed: string) => {
  const addressOf = testAddresses(count, seed);
  return Array.from({ length: count }, (_, index) => addressOf(index));
};

test.each([1, 2, 254, 255, 10_000, 100_000])(
  '%i hosts of one agent have addresses of their own, the same each time',
  (count) => {
    const all = addressesOf(count, '/data sim-0');
    expect(new Set(all).size).toBe(count);
    expect(all).toEqual(addressesOf(count, '/data sim-0'));
    for (const address of [all[0]!, all.at(-1)!]) expect(address).toMatch(/^198\.1[89]\.\d{1,3}\.\d{1,3}$/);
    expect(all.every((address) => address.split('.').every((part) => Number(part) <= 255))).toBe(true);
  },
);

test('agents beside each other have other addresses', () => {
  const firsts = Array.from({ length: 20 }, (_, n) => addressesOf(10, `/data-${n} sim-0`)[0]);
  // Of 512 parts, 20 at random; the same ones each time that this runs.
  expect(new Set(firsts).size).toBeGreaterThanOrEqual(19);
  expect(addressesOf(5, '/var/lib/a sim-0')).not.toEqual(addressesOf(5, '/var/lib/a other-0'));
});
