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

test('no value becomes another key; user data is passed on as it is', () => {
  const userData = '#!/bin/sh\necho "$HOME: yes"\n';
  const files = seedFiles({ instanceId: 'i', hostname: 'web\nevil: "1"', sshKeys: [], userData });
  expect(files['meta-data'].split('\n')).toEqual(['instance-id: "i"', 'local-hostname: "web\\nevil: \\"1\\""', '']);
  expect(files['user-data']).toBe(userData);
});
