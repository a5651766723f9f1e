import { expect, test } from 'vitest';
import { driverKey, looksLikeOurs, Names } from './names.ts';
import { bridge, port, subnet } from './test-resources.ts';

const names = new Names(driverKey('/var/lib/plumb', 'host-1'));
const other = new Names(driverKey('/var/lib/plumb', 'host-2'));

test('names of interfaces fit the kernel, differ by role, resource and driver, and stay the same', () => {
  const made = [names.bridge('x'), names.vxlan('x'), names.leg('x'), names.tap('x'), names.tap('y'), other.tap('x')];
  expect(new Set(made).size).toBe(made.length);
  for (const name of made) {
    expect(name.length).toBeLessThanOrEqual(15);
    expect(looksLikeOurs(name)).toBe(true);
  }
  expect(new Names(names.key).tap('x')).toBe(names.tap('x'));
  for (const name of ['eth0', 'pb', 'ppp0', 'veth0123456789', 'pt0123456789abc'])
    expect(looksLikeOurs(name)).toBe(false);
});

test('an alias tells its resource to the driver that wrote it, and to no other', () => {
  for (const { kind, owner, id } of [bridge, subnet, port]) {
    const alias = names.alias({ kind, owner, id });
    expect(names.readAlias(alias)).toEqual({ kind, owner, id });
    expect(other.readAlias(alias)).toBeUndefined();
  }
  for (const alias of [undefined, '', 'uplink', 'plumb', `plumb:${names.key}`, `plumb:${names.key}:port:me`])
    expect(names.readAlias(alias)).toBeUndefined();
});

test('a namespace tells its subnet', () => {
  expect(names.subnetOf(names.namespace(subnet.id))).toBe(subnet.id);
  expect(other.subnetOf(names.namespace(subnet.id))).toBeUndefined();
});
