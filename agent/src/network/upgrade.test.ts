import { expect, test } from 'vitest';
import type { Link } from './ip.ts';
import { Names } from './names.ts';
import { bridge, flat, officePort, officeSubnet, port, subnet } from './test-resources.ts';
import { upgradeCommands } from './upgrade.ts';

const names = new Names('0123abcd');
const declared = { bridges: [bridge, flat], subnets: [subnet, officeSubnet], ports: [port, officePort] };
const old = { learning: true, flood: true, groups: 0 };
const link = (name: string, alias: string, rest: Partial<Link> = {}): [string, Link] => [
  name,
  { name, alias, up: true, carrier: true, mtuBytes: 1450, mac: '', master: names.bridge(bridge.id), ...rest },
];
const tap = names.tap(port.id);

test('what is on its bridge is mended in place; what is elsewhere, missing or not ours is left to repair', () => {
  const links = new Map([
    link(tap, names.alias(port), { switched: old }),
    link(names.leg(subnet.id), names.alias(subnet), { switched: { ...old, flood: false } }),
    link(names.tap(officePort.id), names.alias(officePort), { switched: old }), // on the other network's bridge
    link('eth1', '', { switched: old, master: names.bridge(flat.id) }),
    link(names.leg(officeSubnet.id), 'someone', { switched: old, master: names.bridge(officeSubnet.spec.bridge) }),
  ]);
  const { ip, fdb, after } = upgradeCommands({ ...declared, links, fixed: new Map() }, names);
  const touched = [...new Set([...ip, ...fdb, ...after].map((words) => words[words.indexOf('dev') + 1]))];
  expect(touched).toEqual(['eth1', tap, names.leg(subnet.id)]);
  expect([...ip, ...after].filter((words) => words.includes('down') || words.includes('del'))).toEqual([]);
});

test('what this version made is not touched', () => {
  const switched = { learning: false, flood: false, groups: 0xfffd };
  const fixed = new Map([[tap, [{ mac: port.spec.macAddress, dev: tap, sticky: true }]]]);
  const links = new Map([link(tap, names.alias(port), { switched })]);
  expect(upgradeCommands({ ...declared, links, fixed }, names)).toEqual({ ip: [], fdb: [], after: [] });
});
