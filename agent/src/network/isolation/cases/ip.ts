import { BROADCAST, ethernet, icmp, ip, ipv4, NONE, tcp, u16, udp, ZERO } from '../frames.ts';
import type { Card, Party } from '../world.ts';
import type { Case, Row, Scene, Target } from './case.ts';
import { cases } from './case.ts';

const TYPE = 0x0800;
const ICMP = 1;
const IGMP = 2;
const TCP = 6;
const nobody: readonly Target[] = [];
const others: readonly Target[] = ['neighbour', 'gateway', 'outside'];
const names: readonly Party[] = ['neighbour', 'gateway', 'outside', 'host'];

type Packet = Partial<Parameters<typeof ipv4>[0]>;

/** A packet with the sender's own addresses, but for what is given. */
function build({ own, to, serial }: Scene, packet: Packet, frame: { from?: string; to?: string } = {}): Buffer {
  const payload = ipv4({ from: own.ip, to: to.ip, id: serial, ...packet });
  return ethernet({ to: to.mac, from: own.mac, type: TYPE, payload, ...frame });
}

const row = (what: string, heard: readonly Target[], packet: (scene: Scene) => Packet, from?: Name): Row => ({
  what,
  to: 'each',
  heard,
  frame: (scene) => build(scene, packet(scene), from === undefined ? {} : { from: from(scene) }),
});
type Name = (scene: Scene) => string;

const macOf =
  (who: Party): Name =>
  ({ cards }) =>
    cards[who].mac;

const fragment = (offset: number, more: boolean, payload: Buffer): Packet => ({ fragment: { offset, more }, payload });
const words = (count: number) => Buffer.alloc(count * 8, 0x61);

export const ipCases: Case[] = [
  ...cases('guest', 'IPv4', [
    row('UDP', others, () => ({})),
    row('TCP', others, () => ({ protocol: TCP, payload: tcp(40_000, 80) })),
    row('ping', others, () => ({ protocol: ICMP, payload: icmp(8) })),
    row('6in4, a tunnel of its own', others, () => ({ protocol: 41, payload: Buffer.alloc(40) })),
    {
      what: 'broadcast',
      to: 'all',
      heard: others,
      frame: (scene) => build(scene, { to: '10.20.0.255' }, { to: BROADCAST }),
    },
    {
      what: 'multicast, IGMP report',
      to: 'all',
      heard: others,
      frame: (scene) =>
        build(
          scene,
          { to: '224.0.0.251', protocol: IGMP, payload: Buffer.concat([u16(0x1600, 0), ip('224.0.0.251')]) },
          { to: '01:00:5e:00:00:fb' },
        ),
    },
    ...names.map((who) => row(`from the ${who}'s IP`, nobody, ({ cards }) => ({ from: cards[who].ip }))),
    ...names.map((who) => row(`from the ${who}'s MAC`, nobody, () => ({}), macOf(who))),
    ...names.map((who) =>
      row(
        `from the ${who}'s MAC and IP`,
        nobody,
        ({ cards }: { cards: Record<Party, Card> }) => ({ from: cards[who].ip }),
        macOf(who),
      ),
    ),
    ...['10.20.0.77', '10.20.0.0', '10.20.0.255', '255.255.255.255', '127.0.0.1', '224.0.0.1', '169.254.1.1', NONE].map(
      (address) => row(`from ${address}`, nobody, () => ({ from: address })),
    ),
    row(
      'from a MAC of nobody',
      nobody,
      () => ({}),
      () => '52:54:00:0a:00:77',
    ),
    row(
      'from the broadcast MAC',
      nobody,
      () => ({}),
      () => BROADCAST,
    ),
    row(
      'from a multicast MAC',
      nobody,
      () => ({}),
      () => '01:00:5e:00:00:01',
    ),
    row(
      'from MAC 0',
      nobody,
      () => ({}),
      () => ZERO,
    ),
    row('ICMP redirect', nobody, ({ cards }) => ({
      protocol: ICMP,
      payload: icmp(5, 1, Buffer.concat([ip(cards.guest.ip), Buffer.alloc(28)])),
    })),
    row("ICMP redirect in the gateway's name", nobody, ({ cards }) => ({
      from: cards.gateway.ip,
      protocol: ICMP,
      payload: icmp(5, 1, Buffer.concat([ip(cards.guest.ip), Buffer.alloc(28)])),
    })),
    row('ICMP router advertisement', nobody, ({ own }) => ({
      protocol: ICMP,
      payload: icmp(9, 0, Buffer.concat([Buffer.from([1, 2, 7, 8]), ip(own.ip), Buffer.alloc(4)])),
    })),
    row('loose source route', nobody, ({ cards }) => ({
      options: Buffer.concat([Buffer.from([131, 7, 4]), ip(cards.bystander.ip), Buffer.from([0])]),
    })),
    row('strict source route', nobody, ({ cards }) => ({
      options: Buffer.concat([Buffer.from([137, 7, 4]), ip(cards.bystander.ip), Buffer.from([0])]),
    })),
    row('version 6 in an IPv4 frame', nobody, () => ({ version: 6 })),
    row('header of 4 words', nobody, () => ({ headerWords: 4 })),
    row('header longer than the packet', nobody, () => ({ headerWords: 15 })),
    row('total length beyond the frame', nobody, () => ({ totalLength: 1400 })),
    row('total length below the header', nobody, () => ({ totalLength: 12 })),
  ]),
  ...cases('guest', 'fragments', [
    row('first', others, () => fragment(0, true, Buffer.concat([udp(40_000, 40_001), words(8)]))),
    row('middle', others, () => fragment(9, true, words(4))),
    row('last', others, () => fragment(13, false, words(2))),
    row('one that begins within the header before it', nobody, () => fragment(1, false, words(2))),
    ...names.map((who) =>
      row(`first, from the ${who}'s IP`, nobody, ({ cards }) => ({
        from: cards[who].ip,
        ...fragment(0, true, Buffer.concat([udp(40_000, 40_001), words(8)])),
      })),
    ),
    ...names.map((who) =>
      row(`last, from the ${who}'s IP`, nobody, ({ cards }) => ({
        from: cards[who].ip,
        ...fragment(9, false, words(4)),
      })),
    ),
    row('first of a DHCP request', nobody, () => fragment(0, true, Buffer.concat([udp(68, 67), words(40)]))),
    row('tiny first of a DHCP request', nobody, () => fragment(0, true, udp(68, 67, Buffer.alloc(0)))),
    row('tiny first of a DHCP answer', nobody, () => fragment(0, true, udp(67, 68, Buffer.alloc(0)))),
    row('tiny first of a DHCP answer from another port', nobody, () =>
      fragment(0, true, udp(1067, 68, Buffer.alloc(0))),
    ),
    row('another first over the first, to the DHCP server', nobody, () => fragment(0, false, udp(68, 67, words(2)))),
  ]),
  ...cases('outside', 'IPv4', [
    row('UDP', ['guest', 'neighbour'], () => ({})),
    row('ping', ['guest', 'neighbour'], () => ({ protocol: ICMP, payload: icmp(8) })),
    row('from elsewhere, by a router', ['guest', 'neighbour'], () => ({ from: '198.51.100.7' })),
    row("from the neighbour's MAC", nobody, () => ({}), macOf('neighbour')),
    row("from the gateway's MAC", nobody, () => ({}), macOf('gateway')),
  ]),
  ...cases('gateway', 'IPv4', [
    row('UDP', ['guest', 'neighbour'], () => ({})),
    row('ping', ['guest', 'neighbour'], () => ({ protocol: ICMP, payload: icmp(8) })),
  ]),
  ...cases('host', 'IPv4', [row('UDP', nobody, () => ({}))]),
];
