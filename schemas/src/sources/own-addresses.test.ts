import { expect, test } from 'vitest';
import { contains, parseAddress } from './address.ts';
import { localIpv4, localIpv6, ownAddresses } from './own-addresses.ts';

/** Of a machine with one card, a bridge without a port, and a network whose addresses all end here. */
const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.2
           /32 host LOCAL
Local:
        |-- 172.17.0.1
           /32 host LOCAL
        |-- 198.51.100.0
           /24 host LOCAL
           /25 link UNICAST
`;
const ROUTES = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
fd000000000000000000000000000002 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

test.each([
  ['127.3.4.5', true],
  ['192.0.2.2', true],
  ['192.0.2.3', false],
  ['172.17.0.1', true],
  ['198.51.100.77', true],
  ['8.8.8.8', false],
])('IPv4: %s ends here: %s', (address, expected) => {
  expect(localIpv4(TRIE).some((block) => contains(block, parseAddress(address)!))).toBe(expected);
});

test.each([
  ['fd00::2', true],
  ['fd00::3', false],
  ['2001:db8::1', false],
])('IPv6: %s ends here: %s', (address, expected) => {
  expect(localIpv6(ROUTES).some((block) => contains(block, parseAddress(address)!))).toBe(expected);
});

test('this machine knows at least its loopback', async () => {
  const own = await ownAddresses();
  expect(own.some((block) => contains(block, parseAddress('127.0.0.1')!))).toBe(true);
});
