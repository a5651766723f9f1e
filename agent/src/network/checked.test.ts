import { expect, test } from 'vitest';
import { checkBridge, checkPort, checkSubnet } from './checked.ts';
import { ipBatch } from './ip.ts';
import { parseCidr } from './ipv4.ts';
import { bridge, flat, officePort, officeSubnet, port, subnet } from './test-resources.ts';

const refused = expect.objectContaining({ reason: 'InvalidResource', retry: 'terminal' });

test('what the control plane sends passes', () => {
  for (const resource of [bridge, flat]) checkBridge(resource);
  for (const resource of [subnet, officeSubnet]) checkSubnet(resource);
  for (const resource of [port, officePort]) checkPort(resource);
});

test.each<[string, object]>([
  ['an id that leads elsewhere', { id: '../../etc' }],
  ['an address with a rule behind it', { spec: { ...port.spec, addresses: ['10.20.0.1 }; flush ruleset'] } }],
  ['an Ethernet address with a lease behind it', { spec: { ...port.spec, macAddress: '52:54:00:00:00:11,10.0.0.1' } }],
  ['a host name with a line behind it', { spec: { ...port.spec, hostname: 'web\n10.0.0.1 bank' } }],
  ['an MTU that is a text', { spec: { ...port.spec, mtuBytes: '1450 up' as unknown as number } }],
])('a port with %s is refused', (_what, change) => {
  expect(() => checkPort({ ...port, ...change })).toThrow(refused);
});

test.each([
  { cidr: '10.20.0.0' },
  { cidr: '10.20.0.0/33' },
  { serverAddress: '10.20.0' },
  { serverMac: '52:54:00:00:00:0G' },
  { gateway: 'none' },
  { domain: 'lab.internal,evil' },
  { dnsServers: ['--conf-file=/etc/shadow'] },
])('a subnet with %j is refused', (change) => {
  expect(() => checkSubnet({ ...subnet, spec: { ...subnet.spec, ...change } })).toThrow(refused);
});

test('a bridge with a VNI or interface that is none is refused, but not for the word of another host', () => {
  checkBridge({ ...bridge, spec: { ...bridge.spec, peers: ['no.such.address;$(id)'] } });
  expect(() => checkBridge({ ...bridge, spec: { ...bridge.spec, vni: 2 ** 24 } })).toThrow(refused);
  for (const physicalInterface of [undefined, 'eth0 up', 'a/b', '-x', 'a'.repeat(16)])
    expect(() => checkBridge({ ...flat, spec: { ...flat.spec, physicalInterface } })).toThrow(refused);
});

test.each(['a b', 'a"b', "a'b", 'a\\b', 'a#b', 'a\nb', ''])('the word %j never reaches a batch', async (word) => {
  const batch = ipBatch(() => Promise.reject(new Error('it was run')), [['link', 'del', word]]);
  await expect(batch).rejects.toMatchObject({ reason: 'InvalidResource' });
});

test.each([
  ['10.20.30.40/24', '10.20.30.0', '255.255.255.0'],
  ['10.20.30.40/22', '10.20.28.0', '255.255.252.0'],
  ['192.168.1.1/32', '192.168.1.1', '255.255.255.255'],
  ['1.2.3.4/0', '0.0.0.0', '0.0.0.0'],
])('%s is the network %s with the mask %s', (cidr, address, netmask) => {
  expect(parseCidr(cidr)).toMatchObject({ address, netmask });
});
