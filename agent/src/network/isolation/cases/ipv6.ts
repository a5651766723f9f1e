/** These networks are IPv4 networks: nothing of IPv6 is heard, in whatever it is wrapped. */
import { ethernet, icmp, ip6, ipv6, linkLocal, mac, u16 } from '../frames.ts';
import type { Case, Row, Scene, Target } from './case.ts';
import { cases } from './case.ts';

const TYPE = 0x86dd;
const ICMP6 = 58;
const nobody: readonly Target[] = [];
const ALL_NODES = { mac: '33:33:00:00:00:01', ip: 'ff02::1' };

/** A packet to a group from the sender's own link-local address. */
export function multicast6(
  scene: Scene,
  to: string,
  group: string,
  next: number,
  payload: Buffer,
  from?: string,
): Buffer {
  const packet = ipv6({ from: from ?? linkLocal(scene.own.mac), to: group, next, payload });
  return ethernet({ to, from: scene.own.mac, type: TYPE, payload: Buffer.concat([packet, u16(scene.serial)]) });
}

const link = (kind: number, address: string) => Buffer.concat([Buffer.from([kind, 1]), mac(address)]);
const prefix = Buffer.concat([Buffer.from([3, 4, 64, 0xc0]), Buffer.alloc(12, 0xff), ip6('2001:db8::')]);
const advertisement = ({ own }: Scene) =>
  icmp(134, 0, Buffer.concat([Buffer.from([64, 0]), u16(1800, 0, 0, 0, 0), prefix, link(1, own.mac)]));

const messages: [string, (scene: Scene) => Buffer][] = [
  ['router advertisement', advertisement],
  ['router solicitation', ({ own }) => icmp(133, 0, Buffer.concat([Buffer.alloc(4), link(1, own.mac)]))],
  [
    'neighbour solicitation',
    ({ own, to }) => icmp(135, 0, Buffer.concat([Buffer.alloc(4), target(to.mac), link(1, own.mac)])),
  ],
  [
    'neighbour advertisement',
    ({ own }) => icmp(136, 0, Buffer.concat([Buffer.from([0x60, 0, 0, 0]), target(own.mac), link(2, own.mac)])),
  ],
  [
    "neighbour advertisement for the neighbour's address",
    ({ own, cards }) =>
      icmp(136, 0, Buffer.concat([Buffer.from([0x20, 0, 0, 0]), target(cards.neighbour.mac), link(2, own.mac)])),
  ],
  [
    'redirect',
    ({ own, cards }) => icmp(137, 0, Buffer.concat([Buffer.alloc(4), target(own.mac), target(cards.neighbour.mac)])),
  ],
  ['multicast listener report', () => icmp(143, 0, Buffer.concat([u16(0, 1, 0x0400, 0), ip6('ff02::fb')]))],
  ['ping', () => icmp(128)],
];

function target(macAddress: string): Buffer {
  return ip6(linkLocal(macAddress));
}

/** Headers before an ICMPv6 message, by which guards that read only the first one are passed by (RFC 7113). */
const wrappings: [string, number, (inner: Buffer) => Buffer][] = [
  ['after hop-by-hop options', 0, (inner) => Buffer.concat([Buffer.from([ICMP6, 0, 1, 4, 0, 0, 0, 0]), inner])],
  ['after destination options', 60, (inner) => Buffer.concat([Buffer.from([ICMP6, 0, 1, 4, 0, 0, 0, 0]), inner])],
  ['after a routing header', 43, (inner) => Buffer.concat([Buffer.from([ICMP6, 0, 253, 0, 0, 0, 0, 0]), inner])],
  ['in an atomic fragment', 44, (inner) => Buffer.concat([Buffer.from([ICMP6, 0, 0, 0, 0, 0, 0, 1]), inner])],
  [
    'behind a first fragment of options',
    44,
    (inner) => Buffer.concat([Buffer.from([60, 0, 0, 1, 0, 0, 0, 2, ICMP6, 0, 1, 4, 0, 0, 0, 0]), inner]),
  ],
  ['in a later fragment', 44, (inner) => Buffer.concat([Buffer.from([ICMP6, 0, 0, 8, 0, 0, 0, 2]), inner])],
];

const rows: Row[] = [
  ...messages.map(
    ([what, message]): Row => ({
      what,
      to: 'all',
      heard: nobody,
      frame: (scene) => multicast6(scene, ALL_NODES.mac, ALL_NODES.ip, ICMP6, message(scene)),
    }),
  ),
  ...wrappings.map(
    ([what, next, wrap]): Row => ({
      what: `router advertisement ${what}`,
      to: 'all',
      heard: nobody,
      frame: (scene) => multicast6(scene, ALL_NODES.mac, ALL_NODES.ip, next, wrap(advertisement(scene))),
    }),
  ),
  {
    what: 'ping to one',
    to: 'each',
    heard: nobody,
    frame: (scene) => multicast6(scene, scene.to.mac, linkLocal(scene.to.mac || '02:00:00:00:00:01'), ICMP6, icmp(128)),
  },
];

const inNameOf: Row[] = (['neighbour', 'gateway'] as const).map((who) => ({
  what: `router advertisement from the ${who}'s address`,
  to: 'all',
  heard: nobody,
  frame: (scene) =>
    multicast6(scene, ALL_NODES.mac, ALL_NODES.ip, ICMP6, advertisement(scene), linkLocal(scene.cards[who].mac)),
}));

export const ipv6Cases: Case[] = [...cases('guest', 'IPv6', [...rows, ...inNameOf]), ...cases('outside', 'IPv6', rows)];
