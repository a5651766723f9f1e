import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { ownAddress } from './own-address.ts';

test.each(['127.0.0.1', '::1', 'no-such-host.invalid'])('towards %s it is an address of this machine', async (host) => {
  const address = await ownAddress(host);
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.map((one) => one.address) ?? []);
  expect(isIPv4(address)).toBe(true);
  expect([...own, '127.0.0.1']).toContain(address);
});
