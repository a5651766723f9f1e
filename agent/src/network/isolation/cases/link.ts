/** What is not IPv4 and not ARP: groups of bridges, VLAN tags, other types and lengths. */
import { arp, BROADCAST, ethernet, icmp, ipv4, ipv6, linkLocal, u16 } from '../frames.ts';
import type { Case, Row, Scene, Target } from './case.ts';
import { cases } from './case.ts';

const nobody: readonly Target[] = [];

/** What is sent to the groups 01:80:c2:00:00:00 to 0f. The bridge drops pause frames (01) itself. */
const spoken: [string, number, (scene: Scene) => Buffer][] = [
  ['LLDP', 0x88cc, () => Buffer.from([2, 7, 4, 0x52, 0x54, 0, 0, 0, 1, 4, 2, 7, 0x41, 6, 2, 0, 120, 0, 0])],
  ['spanning tree', 39, () => Buffer.concat([Buffer.from([0x42, 0x42, 3]), Buffer.alloc(35)])],
  ['a slow protocol', 0x8809, () => Buffer.concat([Buffer.from([1, 1]), Buffer.alloc(40)])],
  ['pause', 0x8808, () => u16(1, 0xffff)],
  ['802.1X', 0x888e, () => Buffer.from([1, 1, 0, 0])],
  ['IPv4 to the host', 0x0800, ({ own, cards, serial }) => ipv4({ from: own.ip, to: cards.host.ip, id: serial })],
  [
    'IPv4 to the neighbour',
    0x0800,
    ({ own, cards, serial }) => ipv4({ from: own.ip, to: cards.neighbour.ip, id: serial }),
  ],
  ['ARP', 0x0806, ({ own, cards }) => arp({ op: 1, sha: own.mac, spa: own.ip, tpa: cards.neighbour.ip })],
];

const group = (last: number) => `01:80:c2:00:00:${last.toString(16).padStart(2, '0')}`;

function grouped(from?: 'neighbour' | 'gateway'): Row[] {
  const inName = from === undefined ? '' : ` from the ${from}'s MAC`;
  return Array.from({ length: 16 }, (_, last) => last).flatMap((last) =>
    spoken.map(
      ([what, type, payload]): Row => ({
        what: `${what} to ${group(last)}${inName}`,
        title: `${what} to each of the 16 groups${inName}`,
        to: 'all',
        heard: nobody,
        frame: (scene) =>
          ethernet({
            to: group(last),
            from: from === undefined ? scene.own.mac : scene.cards[from].mac,
            type,
            payload: Buffer.concat([payload(scene), u16(scene.serial)]),
          }),
      }),
    ),
  );
}

const inner: [string, number, (scene: Scene) => Buffer][] = [
  ['IPv4', 0x0800, ({ own, to, serial }) => ipv4({ from: own.ip, to: to.ip, id: serial })],
  [
    "IPv4 from the gateway's IP",
    0x0800,
    ({ cards, to, serial }) => ipv4({ from: cards.gateway.ip, to: to.ip, id: serial }),
  ],
  ['ARP', 0x0806, ({ own, to }) => arp({ op: 2, sha: own.mac, spa: own.ip, tpa: to.ip })],
  [
    "ARP for the gateway's IP",
    0x0806,
    ({ own, cards, to }) => arp({ op: 2, sha: own.mac, spa: cards.gateway.ip, tpa: to.ip }),
  ],
  [
    'router advertisement',
    0x86dd,
    ({ own }) => ipv6({ from: linkLocal(own.mac), to: 'ff02::1', next: 58, payload: icmp(134, 0, Buffer.alloc(12)) }),
  ],
];

const tags: [string, [number, number][]][] = [
  ['VLAN 1', [[0x8100, 1]]],
  ['VLAN 100', [[0x8100, 100]]],
  ['VLAN 4095', [[0x8100, 4095]]],
  ['a priority tag', [[0x8100, 0xe000]]],
  ['a service tag', [[0x88a8, 100]]],
  ['a service tag of VLAN 0', [[0x88a8, 0]]],
  ['two tags', [[0x88a8, 100], [0x8100, 200]]], // biome-ignore format: one line a case
  ['two tags of VLAN 0', [[0x8100, 0], [0x8100, 0]]], // biome-ignore format: one line a case
  ['three tags', [[0x88a8, 1], [0x8100, 2], [0x8100, 3]]], // biome-ignore format: one line a case
  ['an old double tag', [[0x9100, 100]]],
];

const tagged: Row[] = tags.flatMap(([tag, list]) =>
  inner.map(
    ([what, type, payload]): Row => ({
      what: `${what} in ${tag}`,
      title: `${what} in each of ${tags.length} kinds of tags`,
      to: 'each',
      heard: nobody,
      frame: (scene) =>
        ethernet({
          to: scene.to.mac,
          from: scene.own.mac,
          type,
          tags: list,
          payload: Buffer.concat([payload(scene), u16(scene.serial)]),
        }),
    }),
  ),
);

/** Types that are neither ARP nor IPv4; below 0x0600 it is a length, and LLC follows. */
const types = [
  0x0000, 0x0026, 0x05dc, 0x0600, 0x0801, 0x0805, 0x0842, 0x22ea, 0x22f0, 0x22f3, 0x6002, 0x6558, 0x8035, 0x809b,
  0x80f3, 0x8137, 0x86dd, 0x8808, 0x8809, 0x8847, 0x8848, 0x8863, 0x8864, 0x887b, 0x888e, 0x8892, 0x88a2, 0x88a4,
  0x88cc, 0x88e5, 0x88e7, 0x88f7, 0x8902, 0x8906, 0x8914, 0x893a, 0x894f, 0x9000, 0x9999, 0xffff,
];

const ofType: Row[] = types.flatMap((type): Row[] => {
  const what = `type ${type.toString(16).padStart(4, '0')}`;
  const title = `${types.length} types and lengths, to one and to everybody`;
  const payload = ({ serial, own, to }: Scene) =>
    Buffer.concat([ipv4({ from: own.ip, to: to.ip, id: serial }), u16(serial)]);
  return [
    {
      what,
      title,
      to: 'each',
      heard: nobody,
      frame: (s) => ethernet({ to: s.to.mac, from: s.own.mac, type, payload: payload(s) }),
    },
    {
      what: `${what} to everybody`,
      title,
      to: 'all',
      heard: nobody,
      frame: (s) => ethernet({ to: BROADCAST, from: s.own.mac, type, payload: payload(s) }),
    },
  ];
});

const snap: Row = {
  what: 'IPv4 in LLC and SNAP',
  to: 'each',
  heard: nobody,
  frame: ({ own, to, serial }) => {
    const packet = ipv4({ from: own.ip, to: to.ip, id: serial });
    const payload = Buffer.concat([Buffer.from([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]), packet]);
    return ethernet({ to: to.mac, from: own.mac, type: payload.length, payload });
  },
};

export const linkCases: Case[] = [
  ...cases('guest', 'groups of bridges', [...grouped(), ...grouped('neighbour'), ...grouped('gateway')]),
  ...cases('outside', 'groups of bridges', [...grouped(), ...grouped('neighbour')]),
  ...cases('guest', 'VLAN tags', tagged),
  ...cases('outside', 'VLAN tags', tagged),
  ...cases('guest', 'other types', [...ofType, snap]),
  ...cases('outside', 'other types', [...ofType, snap]),
];
