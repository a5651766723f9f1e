import { expect, test } from 'vitest';
import { dnsmasqArgs, hostsFile, leaseFile } from './dhcp.ts';
import { officePort, officeSubnet, port, subnet } from './test-resources.ts';

const files = {
  pid: '/run/x/pid',
  leases: '/run/x/leases',
  given: '/run/x/given',
  loaded: '/run/x/loaded',
  hosts: '/run/x/hosts',
  log: '/run/x/log',
};

test('arguments of a network with a gateway and a domain, and of one with neither', async () => {
  const text = [subnet, officeSubnet].map((one) => dnsmasqArgs(one, files).join('\n')).join('\n\n');
  await expect(`${text}\n`).toMatchFileSnapshot('testdata/dnsmasq.txt');
});

test('leases and names of ports, sorted; a port without an address has none', () => {
  const bare = { ...port, spec: { ...port.spec, addresses: [] } };
  expect(leaseFile([port, officePort, bare])).toBe(
    '52:54:00:00:00:11,10.20.0.11,web-0\n52:54:00:00:00:12,10.30.0.11,web-0\n',
  );
  expect(hostsFile([port], 'lab.internal')).toBe(
    '10.20.0.11 web-0.lab.internal web-0\n10.20.0.12 web-0.lab.internal web-0\n',
  );
  expect(hostsFile([officePort], undefined)).toBe('10.30.0.11 web-0\n');
});
