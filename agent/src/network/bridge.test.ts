import type { HostResource } from '@plumb/schemas';
import { expect, test } from 'vitest';
import type { BridgeView } from './bridge.ts';
import { bridgeCommands, bridgeDrift, bridgeRemoval } from './bridge.ts';
import type { Link } from './ip.ts';
import { Names } from './names.ts';
import { bridge, flat } from './test-resources.ts';

const names = new Names('0123abcd');
const pb = names.bridge(bridge.id);
const px = names.vxlan(bridge.id);
const office = names.bridge(flat.id);

function link(name: string, rest: Partial<Link> = {}): Link {
  return { name, up: true, carrier: true, mtuBytes: 1450, mac: '52:54:00:aa:bb:cc', ...rest };
}

function view(links: Link[], rest: Partial<BridgeView> = {}): BridgeView {
  return {
    links: new Map(links.map((one) => [one.name, one])),
    peers: [],
    hostUses: [],
    tunnelAddress: '192.0.2.1',
    ...rest,
  };
}

/** Commands as a person types them. */
function commands(resource: HostResource<'bridge'>, at: BridgeView, before?: HostResource<'bridge'>): string[] {
  const { ip, fdb } = bridgeCommands(resource, before, names, at);
  return [...ip.map((words) => `ip ${words.join(' ')}`), ...fdb.map((words) => `bridge ${words.join(' ')}`)];
}

const alias = names.alias(bridge);
const vxlan = { vni: 100, local: '192.0.2.1', port: 4789 };
const switched = { learning: true, flood: true, groups: 0xfffd };
const made = view(
  [link(pb, { alias, kind: 'bridge' }), link(px, { alias, kind: 'vxlan', master: pb, vxlan, switched })],
  {
    peers: ['192.0.2.2', '192.0.2.3'],
  },
);

test('a VXLAN bridge from nothing', () => {
  expect(commands(bridge, view([]))).toEqual([
    `ip link add ${pb} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `ip link set dev ${pb} alias ${alias}`,
    `ip link set dev ${pb} addrgenmode none mtu 1450 up`,
    `ip link add ${px} type vxlan id 100 local 192.0.2.1 dstport 4789`,
    `ip link set dev ${px} alias ${alias}`,
    `ip link set dev ${px} addrgenmode none mtu 1450 master ${pb} up`,
    `ip link set dev ${px} type bridge_slave group_fwd_mask 0xfffd`,
    `bridge fdb append 00:00:00:00:00:00 dev ${px} dst 192.0.2.2`,
    `bridge fdb append 00:00:00:00:00:00 dev ${px} dst 192.0.2.3`,
  ]);
});

test('a bridge that is as declared has no drift, and is not made again', () => {
  expect(bridgeDrift(bridge, names, made)).toEqual([]);
  expect(commands(bridge, made, bridge).filter((line) => /link (add|del)|fdb/.test(line))).toEqual([]);
});

test('other peers are told and changed without a break', () => {
  const moved = { ...bridge, spec: { ...bridge.spec, peers: ['192.0.2.3', '192.0.2.4'] } };
  expect(bridgeDrift(moved, names, made).join()).toContain('192.0.2.3, 192.0.2.4');
  expect(commands(moved, made, bridge).filter((line) => /link (add|del)|fdb/.test(line))).toEqual([
    `bridge fdb append 00:00:00:00:00:00 dev ${px} dst 192.0.2.4`,
    `bridge fdb del 00:00:00:00:00:00 dev ${px} dst 192.0.2.2`,
  ]);
});

test('another VNI makes the uplink anew; no peers, no uplink', () => {
  const renumbered = { ...bridge, spec: { ...bridge.spec, vni: 101 } };
  expect(bridgeDrift(renumbered, names, made)).toHaveLength(1);
  expect(commands(renumbered, made, bridge)).toEqual(
    expect.arrayContaining([
      `ip link del ${px}`,
      expect.stringContaining('vxlan id 101'),
      expect.stringMatching(/fdb append.*\.2$/),
    ]),
  );
  const alone = { ...bridge, spec: { ...bridge.spec, peers: [] } };
  expect(commands(alone, made, bridge).filter((line) => line.includes(' del '))).toEqual([`ip link del ${px}`]);
  const useless = { ...bridge, spec: { ...bridge.spec, peers: ['no.such.address', '224.0.0.1'] } };
  expect(commands(useless, view([]))).toEqual(commands(alone, view([])));
  const some = { ...bridge, spec: { ...bridge.spec, peers: [...bridge.spec.peers, 'no.such.address', '192.0.2.1'] } };
  expect(commands(some, view([]))).toEqual(commands(bridge, view([])));
  expect(bridgeDrift(some, names, made)).toEqual([]);
  expect(commands(alone, view([]))).not.toEqual(expect.arrayContaining([expect.stringContaining('vxlan')]));
  expect(bridgeDrift(alone, names, view([link(pb, { alias })]))).toEqual([]);
});

test.each<[string, Link[], RegExp]>([
  ['a missing bridge', [], /bridge .* is missing/],
  ['a missing uplink', [link(pb, { alias })], /uplink .* is missing/],
  ['an uplink elsewhere', [link(pb, { alias }), link(px, { alias, vxlan })], /not on the bridge/],
  ['a bridge that is down', [link(pb, { alias, up: false }), link(px, { alias, vxlan, master: pb })], /is down/],
  ['a bridge of somebody else', [link(pb), link(px, { alias, vxlan, master: pb })], /was not made for it/],
  ['an uplink of somebody else', [link(pb, { alias }), link(px, { vxlan, master: pb })], /was not made for it/],
  ['another MTU', [link(pb, { alias, mtuBytes: 1500 }), link(px, { alias, vxlan, master: pb })], /MTU of 1500/],
])('%s is drift', (_what, links, sentence) => {
  const { peers } = made;
  expect(bridgeDrift(bridge, names, view(links, { peers })).join()).toMatch(sentence);
});

test('a flat bridge takes its physical interface, and lets the one before go', () => {
  const before = { ...flat, spec: { ...flat.spec, physicalInterface: 'eth2' } };
  const there = view([link('eth1'), link('eth2', { master: office }), link('eth3', { master: office })]);
  expect(commands(flat, there, before)).toEqual([
    `ip link add ${office} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `ip link set dev ${office} alias ${names.alias(flat)}`,
    `ip link set dev ${office} addrgenmode none mtu 1500 up`,
    'ip link set dev eth2 nomaster',
    `ip link set dev eth1 master ${office} up`,
    'ip link set dev eth1 type bridge_slave group_fwd_mask 0xfffd',
  ]);
});

test.each<[string, HostResource<'bridge'>, BridgeView, string]>([
  ['an interface that is not there', flat, view([]), 'InterfaceNotFound'],
  ['an interface of another bridge', flat, view([link('eth1', { master: 'br0' })]), 'NameTaken'],
  ['the interface of the host itself', flat, view([link('eth1')], { hostUses: ['198.51.100.7'] }), 'InterfaceInUse'],
  ['a bridge of this name that is not ours', bridge, view([link(pb, { kind: 'bridge' })]), 'NameTaken'],
  ['a VNI of someone else', bridge, view([link('vx0', { vxlan })]), 'NameTaken'],
])('%s is refused for good', (_what, resource, at, reason) => {
  expect(() => commands(resource, at)).toThrow(expect.objectContaining({ reason, retry: 'terminal' }));
});

test('a VNI that another network of ours still has is waited for', () => {
  const leaving = names.alias({ kind: 'bridge', owner: 'old', id: 'old' });
  expect(() => commands(bridge, view([link('pxold', { vxlan, alias: leaving })]))).toThrow(
    expect.objectContaining({ reason: 'NameTaken', retry: 'retry' }),
  );
});

test('removal takes what is ours and nothing else', () => {
  expect(bridgeRemoval(bridge.id, names, made.links)).toEqual([
    ['link', 'del', px],
    ['link', 'del', pb],
  ]);
  expect(bridgeRemoval(bridge.id, names, view([link(pb)]).links)).toEqual([]);
});
