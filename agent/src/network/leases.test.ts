import { expect, test } from 'vitest';
import { leaseFile } from './dhcp.ts';
import { overlap, readDeclared, readLeases, staleLeases, united } from './leases.ts';
import { releaseMessage } from './release-leases.ts';
import { officePort, port } from './test-resources.ts';

const declared = { macAddress: port.spec.macAddress, address: port.spec.addresses[0]! };
const other = { macAddress: '52:54:00:00:00:99', address: '10.20.0.99' };

test('the file of given leases is read as far as it is whole', () => {
  const line = (mac: string, address: string) => `1763200000 ${mac} ${address} web-0 01:52:54:00:00:00:11`;
  const whole = `${line(declared.macAddress, declared.address)}\n1763200000 ${other.macAddress} ${other.address} * *\n`;
  expect(readLeases(whole)).toEqual([declared, other]);
  for (let cut = 0; cut <= whole.length; cut++)
    for (const lease of readLeases(whole.slice(0, cut))) expect([declared, other]).toContainEqual(lease);
  expect(readLeases('duid 00:01\n1763200000 52:54:00:00:00:11 fe80::1 * *\nrubbish\n')).toEqual([]);
});

test('what is declared no more is stale: another Ethernet address, another address, none', () => {
  const moved = { ...declared, address: other.address };
  const taken = { ...declared, macAddress: other.macAddress };
  expect(staleLeases([declared, moved, taken, other], [port, officePort])).toEqual([moved, taken, other]);
  expect(staleLeases(readDeclared(leaseFile([port, officePort])), [port, officePort])).toEqual([]);
  expect(staleLeases(readDeclared(leaseFile([port, officePort])), [officePort])).toEqual([declared]);
});

test('leases are united and compared by both of their addresses', () => {
  expect(united([declared, other], [{ ...declared }])).toEqual([declared, other]);
  expect(overlap([declared], [{ ...declared, address: other.address }, other])).toBe(false);
  expect(overlap([declared], [other, { ...declared }])).toBe(true);
});

test('a release is a DHCP message of the guest to this server', () => {
  const message = releaseMessage('10.20.0.1', declared.macAddress, declared.address);
  expect(message.subarray(0, 4).toString('hex')).toBe('01010600');
  expect(message.subarray(12, 16).toString('hex')).toBe('0a14000b');
  expect(message.subarray(28, 34).toString('hex')).toBe('525400000011');
  expect(message.subarray(236, 250).toString('hex')).toBe('6382536335010736040a140001ff'.slice(0, 28));
});
