import { expect, test } from 'vitest';
import { seedFiles } from './no-cloud.ts';

test('a seed names the instance, its host name and its keys', () => {
  const files = seedFiles({ instanceId: 'i-1', hostname: 'web-0', sshKeys: ['ssh-ed25519 AAAA me', 'ssh-rsa BBBB'] });
  expect(files).toEqual({
    'meta-data':
      'instance-id: "i-1"\nlocal-hostname: "web-0"\npublic-keys:\n  - "ssh-ed25519 AAAA me"\n  - "ssh-rsa BBBB"\n',
    'user-data': '#cloud-config\n{}\n',
  });
});

test('several interfaces are all configured, each known by its address; one configures itself', () => {
  const interfaces = [
    { name: 'eth0', macAddress: '52:54:00:00:00:11' },
    { name: 'a-name-that-no-kernel-takes', macAddress: '52:54:00:00:00:12' },
  ];
  const spec = { instanceId: 'i-1', hostname: 'web-0', sshKeys: [] };
  expect(seedFiles(spec)).not.toHaveProperty('network-config');
  expect(seedFiles({ ...spec, interfaces })['network-config']).toBe(`version: 2
ethernets:
  "eth0":
    match: {macaddress: "52:54:00:00:00:11"}
    set-name: "eth0"
    dhcp4: true
    dhcp4-overrides: {route-metric: 100}
  "plumb1":
    match: {macaddress: "52:54:00:00:00:12"}
    set-name: "plumb1"
    dhcp4: true
    dhcp4-overrides: {route-metric: 200}
`);
});

test('no value becomes another key; user data is passed on as it is', () => {
  const userData = '#!/bin/sh\necho "$HOME: yes"\n';
  const files = seedFiles({ instanceId: 'i', hostname: 'web\nevil: "1"', sshKeys: [], userData });
  expect(files['meta-data']!.split('\n')).toEqual(['instance-id: "i"', 'local-hostname: "web\\nevil: \\"1\\""', '']);
  expect(files['user-data']).toBe(userData);
});
