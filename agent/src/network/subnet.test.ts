import { expect, test } from 'vitest';
import type { Link } from './ip.ts';
import { Names } from './names.ts';
import type { LegInside } from './subnet.ts';
import { insideCommands, legCommands, subnetDrift } from './subnet.ts';
import { subnet } from './test-resources.ts';

const names = new Names('0123abcd');
const leg = names.leg(subnet.id);
const on = names.bridge(subnet.spec.bridge);
const link: Link = {
  name: leg,
  up: true,
  carrier: true,
  mtuBytes: 1450,
  mac: '',
  alias: names.alias(subnet),
  master: on,
  switched: { learning: false, flood: false, groups: 0 },
};
const fixed = [{ mac: subnet.spec.serverMac, dev: leg, sticky: true }];
const inside: LegInside = { index: 2, mac: '52:54:00:00:00:01', up: true, addresses: ['10.20.0.1/24'] };
const text = (commands: readonly (readonly string[])[]) => commands.map((words) => words.join(' '));

test('a leg from nothing: one end on the bridge, the other in the namespace', () => {
  const commands = legCommands(subnet, names, { fixed: [] });
  expect(text(commands.fdb)).toEqual([`fdb replace 52:54:00:00:00:01 dev ${leg} master static sticky`]);
  expect(text(commands.ip)).toEqual([
    `link add ${leg} type veth peer name leg netns plumb-0123abcd-${subnet.id}`,
    `link set dev ${leg} alias ${names.alias(subnet)}`,
    `link set dev ${leg} addrgenmode none mtu 1450 master ${on}`,
    `link set dev ${leg} type bridge_slave learning off flood off fdb_flush`,
    `link set dev ${leg} up`,
  ]);
  expect(text(insideCommands(subnet, { ...inside, addresses: [] }))).toEqual([
    'link set dev lo up',
    'link set dev leg addrgenmode none address 52:54:00:00:00:01 mtu 1450 up',
    'addr add 10.20.0.1/24 dev leg',
  ]);
});

test('an address that is declared no more goes', () => {
  expect(text(insideCommands(subnet, { ...inside, addresses: ['10.20.0.254/24'] })).slice(2)).toEqual([
    'addr del 10.20.0.254/24 dev leg',
    'addr add 10.20.0.1/24 dev leg',
  ]);
  expect(insideCommands(subnet, inside)).toHaveLength(2);
});

test.each<[string, Link | undefined, LegInside | undefined, RegExp | undefined]>([
  ['as declared', link, inside, undefined],
  ['without its leg', undefined, undefined, /leg .* is missing/],
  ['whose leg somebody else made', { ...link, alias: undefined }, inside, /was not made for it/],
  ['off its bridge', { ...link, master: undefined }, inside, /not on the bridge/],
  [
    'of which its bridge learns',
    { ...link, switched: { learning: true, flood: false, groups: 0 } },
    inside,
    /learns addresses/,
  ],
  ['without the other end', link, undefined, /lacks the other end/],
  ['with another address', link, { ...inside, addresses: ['10.20.0.9/24'] }, /address 10.20.0.9/],
  ['with another Ethernet address', link, { ...inside, mac: '52:54:00:00:00:99' }, /52:54:00:00:00:99/],
  ['down inside', link, { ...inside, up: false }, /down inside/],
])('a subnet %s', (_what, outer, inner, sentence) => {
  const links = new Map(outer === undefined ? [] : [[leg, outer]]);
  const drift = subnetDrift(subnet, names, links, fixed, inner);
  if (sentence === undefined) expect(drift).toEqual([]);
  else expect(drift).toEqual([expect.stringMatching(sentence)]);
});
