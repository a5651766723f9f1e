import type { HostResource } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { bridge, flat } from './test-resources.ts';
import { readTunnels, tunnelDrift, tunnelRuleset, tunnelSets, usablePeers } from './tunnels.ts';

const OWN = '192.0.2.1';
const withPeers = (peers: string[], vni = 100): HostResource<'bridge'> => ({
  ...bridge,
  spec: { ...bridge.spec, vni, peers },
});

test('peers are passed over that can be none, and the others stay', () => {
  const words = [
    'no.such.address;$(id)',
    '',
    '999.1.1.1',
    '127.0.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '0.0.0.0',
    '::1',
    OWN,
  ];
  expect(usablePeers(withPeers([...words, '192.0.2.3', '192.0.2.2', '192.0.2.3']), OWN)).toEqual([
    '192.0.2.2',
    '192.0.2.3',
  ]);
});

test('the table of two tunnels names each peer with its network; flat networks and those without peers are not in it', () => {
  const bridges = [bridge, flat, withPeers(['192.0.2.3', 'rubbish'], 200), withPeers([], 300)];
  const text = tunnelRuleset('plumb_0123abcd', tunnelSets(bridges, OWN));
  expect(text).toMatchInlineSnapshot(`
    "table ip plumb_0123abcd
    delete table ip plumb_0123abcd
    table ip plumb_0123abcd {
      set vnis { typeof @th,96,24; elements = { 100, 200 }; }
      set peers { typeof ip saddr . @th,96,24; elements = { 192.0.2.2 . 100, 192.0.2.3 . 100, 192.0.2.3 . 200 }; }
      chain input {
        type filter hook input priority -310; policy accept;
        udp dport 4789 @th,96,24 @vnis ip saddr . @th,96,24 != @peers drop
      }
    }
    "
  `);
  expect(tunnelSets([flat, withPeers([])], OWN)).toEqual({ vnis: new Set(), peers: new Set() });
});

test('what nft lists is read back, and what differs of a tunnel is told', () => {
  const sets = tunnelSets([bridge, withPeers(['192.0.2.9'], 200)], OWN);
  const listed = [
    { set: { name: 'vnis', elem: [100, 200] } },
    {
      set: {
        name: 'peers',
        elem: [{ concat: ['192.0.2.2', 100] }, { concat: ['192.0.2.3', 100] }, { concat: ['192.0.2.9', 200] }],
      },
    },
    { rule: { chain: 'input' } },
  ];
  const loaded = readTunnels(JSON.stringify({ nftables: listed }));
  expect(loaded).toEqual({ sets, complete: true });
  expect(readTunnels(JSON.stringify({ nftables: listed.slice(0, 2) })).complete).toBe(false);
  expect(tunnelDrift(bridge, OWN, loaded.sets)).toEqual([]);
  expect(tunnelDrift(flat, OWN, undefined)).toEqual([]);
  for (const other of [
    withPeers(['192.0.2.2']),
    withPeers(['192.0.2.2', '192.0.2.3', '192.0.2.4']),
    withPeers(['192.0.2.2'], 300),
  ])
    expect(tunnelDrift(other, OWN, loaded.sets).join()).toContain('firewall');
  expect(tunnelDrift(bridge, OWN, undefined).join()).toContain('firewall');
});
