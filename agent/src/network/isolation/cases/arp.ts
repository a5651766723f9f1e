import { arp, BROADCAST, ethernet, NONE, u16, ZERO } from '../frames.ts';
import type { Case, Row, Scene, Target } from './case.ts';
import { cases } from './case.ts';

const TYPE = 0x0806;
const REQUEST = 1;
const REPLY = 2;
const FREE = '10.20.0.77';
const MULTICAST_MAC = '01:00:5e:00:00:01';

type Arp = Partial<Parameters<typeof arp>[0]>;

/** ARP with the sender's own addresses, but for what is given; `outer`: the frame's own source. */
function build({ own, to, serial }: Scene, fields: Arp, outer = own.mac, everybody = false): Buffer {
  const payload = arp({ op: REQUEST, sha: own.mac, spa: own.ip, tpa: to.ip, ...fields });
  // The padding is the number.
  const padded = Buffer.concat([payload, u16(serial)]);
  return ethernet({ to: everybody ? BROADCAST : to.mac, from: outer, type: TYPE, payload: padded });
}

function row(what: string, to: Row['to'], heard: readonly Target[], fields: (scene: Scene) => Arp, outer?: Outer): Row {
  return { what, to, heard, frame: (scene) => build(scene, fields(scene), outer?.(scene), to === 'all') };
}
type Outer = (scene: Scene) => string;

const guests: readonly Target[] = ['neighbour', 'gateway', 'outside'];
const nobody: readonly Target[] = [];

/** Addresses that a guest may take: of the parties, and of nobody. */
const others = (['neighbour', 'gateway', 'outside', 'host'] as const).map((who) => ({
  name: `the ${who}'s`,
  mac: ({ cards }: Scene) => cards[who].mac,
  ip: ({ cards }: Scene) => cards[who].ip,
}));

export const arpCases: Case[] = [
  ...cases('guest', 'ARP', [
    row('request for a free address', 'all', guests, () => ({ tpa: FREE })),
    row('request for the gateway, which is never asked for outside', 'all', ['neighbour', 'gateway'], ({ cards }) => ({
      tpa: cards.gateway.ip,
    })),
    row('request to one', 'each', ['neighbour', 'gateway', 'outside'], () => ({})),
    row('reply', 'each', guests, ({ to }) => ({ op: REPLY, tha: to.mac })),
    row('gratuitous request', 'all', guests, ({ own }) => ({ tpa: own.ip })),
    row('gratuitous reply', 'all', guests, ({ own }) => ({ op: REPLY, tha: own.mac, tpa: own.ip })),
    row('probe for its own address', 'all', guests, ({ own }) => ({ spa: NONE, tpa: own.ip })),
    row('reply whose target fields say something wrong', 'each', guests, ({ cards }) => ({
      op: REPLY,
      tha: cards.bystander.mac,
      tpa: cards.bystander.ip,
    })),
    ...others.map(({ name, ip }) =>
      row(`probe for ${name} address`, 'all', nobody, (s) => ({ spa: NONE, tpa: ip(s) })),
    ),
    row('probe for a free address', 'all', nobody, () => ({ spa: NONE, tpa: FREE })),
    row('reply from 0.0.0.0', 'each', nobody, ({ own }) => ({ op: REPLY, spa: NONE, tpa: own.ip })),
    ...others.flatMap(({ name, mac, ip }) => [
      row(`request from ${name} IP`, 'all', nobody, (s) => ({ spa: ip(s) })),
      row(`reply from ${name} IP`, 'each', nobody, (s) => ({ op: REPLY, spa: ip(s) })),
      row(`gratuitous request for ${name} IP`, 'all', nobody, (s) => ({ spa: ip(s), tpa: ip(s) })),
      row(`gratuitous reply for ${name} IP`, 'all', nobody, (s) => ({ op: REPLY, spa: ip(s), tpa: ip(s) })),
      row(`reply with ${name} MAC inside`, 'each', nobody, (s) => ({ op: REPLY, sha: mac(s) })),
      row(`reply with ${name} MAC outside`, 'each', nobody, () => ({ op: REPLY }), mac),
      row(`reply with ${name} MAC inside and outside`, 'each', nobody, (s) => ({ op: REPLY, sha: mac(s) }), mac),
      row(`reply in all of ${name} names`, 'each', nobody, (s) => ({ op: REPLY, sha: mac(s), spa: ip(s) }), mac),
    ]),
    row('reply from a free IP', 'each', nobody, () => ({ op: REPLY, spa: FREE })),
    row('reply from the broadcast address', 'each', nobody, () => ({ op: REPLY, spa: '255.255.255.255' })),
    row('reply with the broadcast MAC inside', 'each', nobody, () => ({ op: REPLY, sha: BROADCAST })),
    row('reply with a multicast MAC inside', 'each', nobody, () => ({ op: REPLY, sha: MULTICAST_MAC })),
    row('reply with MAC 0 inside', 'each', nobody, () => ({ op: REPLY, sha: ZERO })),
    ...[0, 3, 4, 8, 9, 10, 0xffff].map((op) => row(`operation ${op}`, 'each', nobody, () => ({ op }))),
    row('hardware type 6', 'each', nobody, () => ({ htype: 6 })),
    row('hardware type 0', 'each', nobody, () => ({ htype: 0 })),
    row('protocol type IPv6', 'each', nobody, () => ({ ptype: 0x86dd })),
    row('hardware length 8', 'each', nobody, () => ({ hlen: 8 })),
    row('hardware length 0', 'each', nobody, () => ({ hlen: 0 })),
    row('protocol length 16', 'each', nobody, () => ({ plen: 16 })),
    row('protocol length 0', 'each', nobody, () => ({ plen: 0 })),
  ]),
  ...cases('outside', 'ARP', [
    row('request for a free address', 'all', ['guest', 'neighbour'], () => ({ tpa: FREE })),
    row('request for the gateway', 'all', ['guest', 'neighbour'], ({ cards }) => ({ tpa: cards.gateway.ip })),
    row('reply', 'each', ['guest', 'neighbour'], ({ to }) => ({ op: REPLY, tha: to.mac })),
    ...(['neighbour', 'gateway'] as const).flatMap((who) => [
      row(`reply from the ${who}'s IP`, 'each', nobody, ({ cards }) => ({ op: REPLY, spa: cards[who].ip })),
      row(`gratuitous request for the ${who}'s IP`, 'all', nobody, ({ cards }) => ({
        spa: cards[who].ip,
        tpa: cards[who].ip,
      })),
      row(
        `reply from the ${who}'s MAC`,
        'each',
        nobody,
        () => ({ op: REPLY }),
        ({ cards }) => cards[who].mac,
      ),
    ]),
  ]),
  ...cases('gateway', 'ARP', [
    row('request', 'all', ['guest', 'neighbour'], () => ({})),
    row('reply', 'each', ['guest', 'neighbour'], ({ to }) => ({ op: REPLY, tha: to.mac })),
  ]),
  ...cases('host', 'ARP', [
    row('request', 'all', nobody, () => ({ tpa: FREE })),
    row('reply', 'each', nobody, ({ to }) => ({ op: REPLY, tha: to.mac })),
  ]),
];
