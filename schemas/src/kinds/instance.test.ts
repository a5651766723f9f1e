import { expect, it } from 'vitest';
import { instance } from './instance.ts';

const { pattern } = instance.spec.properties.sshKeys.items;
const isKey = (text: string) => new RegExp(pattern, 'u').test(text);
const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIGnzYGoXh2Y0gJdXb6ZyHOq3';

it.each([
  `ssh-ed25519 ${KEY}`,
  `ssh-ed25519 ${KEY}== me@example.org`,
  `ssh-rsa ${KEY} Jürgen from the office (2024) – laptop`,
  `ecdsa-sha2-nistp256 ${KEY} x`,
  `sk-ssh-ed25519@openssh.com ${KEY} key`,
])('an SSH key is what a .pub file holds: %s', (key) => {
  expect(isKey(key)).toBe(true);
});

it.each([
  '',
  ' ',
  'a',
  'ssh-ed25519',
  'ssh-ed25519 ',
  `ssh-ed25519  ${KEY}`,
  ` ssh-ed25519 ${KEY}`,
  `ssh-ed25519 ${KEY}\r`,
  `ssh-ed25519 ${KEY}\n`,
  `ssh-ed25519 ${KEY} me\r\n`,
  `ssh-ed25519 ${KEY} me\nssh-rsa ${KEY} you`,
  `ssh-ed25519 ${KEY} me\u0000`,
  `ssh-ed25519 ${KEY.slice(0, 20)}*${KEY.slice(20)}`,
  `ssh-dss ${KEY}`,
  `from="10.0.0.1" ssh-ed25519 ${KEY}`,
  '-----BEGIN OPENSSH PRIVATE KEY-----',
])('and nothing else: %j', (key) => {
  expect(isKey(key)).toBe(false);
});

it('no interface has the address of all zeros, and any other unicast address may be', () => {
  const rules = instance.rules as (spec: object) => { field: string; message: string }[];
  const of = (macAddress?: string) => rules({ interfaces: [{ macAddress: '02:00:00:00:00:01' }, { macAddress }] });
  expect(of('00:00:00:00:00:00')).toEqual([
    { field: 'spec.interfaces[1].macAddress', message: expect.stringContaining('no interface can have') },
  ]);
  expect([of(), of('00:00:00:00:00:01')]).toEqual([[], []]);
});
