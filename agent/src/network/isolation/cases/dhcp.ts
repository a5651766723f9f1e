import { BROADCAST, dhcp, ethernet, ip, ipv4, mac, NONE, u16, udp } from '../frames.ts';
import type { Case, Row, Scene, Target } from './case.ts';
import { cases } from './case.ts';
import { multicast6 } from './ipv6.ts';

const nobody: readonly Target[] = [];
const server: readonly Target[] = ['gateway'];
const EVERYBODY = '255.255.255.255';
const [CLIENT, SERVER] = [68, 67];

/** Message types of DHCP (RFC 2132 section 9.6 and those that came later). */
const TYPES = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
  INFORM: 8,
  FORCERENEW: 9,
  LEASEQUERY: 10,
} as const;
type Type = keyof typeof TYPES;

type Message = Partial<Parameters<typeof dhcp>[0]> & { more?: [number, Buffer][] };
interface Carried {
  from?: string;
  to?: string;
  sport?: number;
  dport?: number;
  /** To the server's own Ethernet address. */
  unicast?: boolean;
  mac?: string;
  fragment?: { offset: number; more: boolean };
}

/** A message in the sender's own name, but for what is given. */
function build({ own, cards, serial }: Scene, type: Type, message: Message = {}, carried: Carried = {}): Buffer {
  const { more = [], ...fields } = message;
  const options: [number, Buffer][] = [[53, Buffer.from([TYPES[type]])], ...more];
  const payload = dhcp({ xid: 0x1000_0000 + serial, chaddr: own.mac, options, ...fields });
  const { from = NONE, to = EVERYBODY, sport = CLIENT, dport = SERVER, fragment } = carried;
  const packet = ipv4({
    from,
    to,
    id: serial,
    payload: udp(sport, dport, payload),
    ...(fragment === undefined ? {} : { fragment }),
  });
  const target = carried.unicast ? cards.gateway.mac : BROADCAST;
  return ethernet({ to: target, from: carried.mac ?? own.mac, type: 0x0800, payload: packet });
}

type Of<T> = (scene: Scene) => T;

function row(what: string, heard: readonly Target[], type: Type, message?: Of<Message>, carried?: Of<Carried>): Row {
  return { what, to: 'all', heard, frame: (scene) => build(scene, type, message?.(scene), carried?.(scene)) };
}

/** Rows of messages that nobody hears, one for each type. */
function none(types: readonly Type[], what: string, message?: Of<Message>, carried?: Of<Carried>): Row[] {
  const title = `${types.join(', ')}: ${what}`;
  return types.map((type) => ({ ...row(`${type} ${what}`, nobody, type, message, carried), title }));
}

const toServer: Of<Carried> = ({ own, cards }) => ({ from: own.ip, to: cards.gateway.ip, unicast: true });
const answering =
  (who: Of<string>, sport = SERVER, dport = CLIENT): Of<Carried> =>
  (scene) => ({ from: who(scene), sport, dport });
const own: Of<string> = (scene) => scene.own.ip;
const asNeighbour: Of<Message> = ({ cards }) => ({ chaddr: cards.neighbour.mac });
const renewing: Of<Message> = (scene) => ({ ciaddr: scene.own.ip });
const asking =
  (...options: [number, Of<Buffer>][]): Of<Message> =>
  (scene) => ({ more: options.map(([code, value]) => [code, value(scene)]) });
const requested: [number, Of<Buffer>] = [50, (scene) => ip(scene.own.ip)];
const serverId: [number, Of<Buffer>] = [54, ({ cards }) => ip(cards.gateway.ip)];
/** What an answer says to the neighbour. */
const answer: Of<Message> = ({ cards }) => ({
  op: 2,
  chaddr: cards.neighbour.mac,
  yiaddr: cards.neighbour.ip,
  more: [[54, ip(cards.gateway.ip)]],
});

const every = Object.keys(TYPES) as Type[];
const client: Type[] = ['DISCOVER', 'REQUEST', 'DECLINE', 'RELEASE', 'INFORM'];
const answers: Type[] = ['OFFER', 'ACK', 'NAK', 'FORCERENEW'];

export const dhcpCases: Case[] = [
  ...cases('guest', 'DHCPv4', [
    row('DISCOVER', server, 'DISCOVER'),
    row('REQUEST after an offer', server, 'REQUEST', asking(requested, serverId)),
    row('REQUEST to renew', server, 'REQUEST', renewing, toServer),
    row('REQUEST to rebind', server, 'REQUEST', renewing, (scene) => ({ from: scene.own.ip })),
    row('INFORM', server, 'INFORM', renewing, toServer),
    row('RELEASE', server, 'RELEASE', renewing, toServer),
    row('DECLINE: the address is declared, there is no other', nobody, 'DECLINE', asking(requested, serverId)),
    // These reach the server, which goes by the hardware address alone and has one address for it.
    row(
      "DISCOVER that asks for the neighbour's address",
      server,
      'DISCOVER',
      asking([50, ({ cards }) => ip(cards.neighbour.ip)]),
    ),
    row(
      "REQUEST with the neighbour's client identifier",
      server,
      'REQUEST',
      asking(requested, [61, ({ cards }) => Buffer.concat([Buffer.from([1]), mac(cards.neighbour.mac)])]),
    ),
    ...none(every, "with the neighbour's hardware address", asNeighbour),
    ...none(every, "with the neighbour's hardware address, from its own IP", asNeighbour, toServer),
    ...none(every, "in all of the neighbour's names", asNeighbour, ({ cards }) => ({
      from: cards.neighbour.ip,
      mac: cards.neighbour.mac,
    })),
    ...none(client, 'with hardware type 6', () => ({ htype: 6 }), toServer),
    ...none(client, 'with hardware length 16', () => ({ hlen: 16 }), toServer),
    ...none(client, 'with hardware length 0', () => ({ hlen: 0 }), toServer),
    ...none(client, 'marked as an answer', () => ({ op: 2 }), toServer),
    ...none(client, 'as if it had relayed it', (scene) => ({ giaddr: scene.own.ip }), toServer),
    ...none(client, 'as if the gateway had relayed it', ({ cards }) => ({ giaddr: cards.gateway.ip }), toServer),
    ...none(
      client,
      "with the neighbour's address as its own",
      ({ cards }) => ({ ciaddr: cards.neighbour.ip }),
      toServer,
    ),
    ...none(client, "with the gateway's address as its own", ({ cards }) => ({ ciaddr: cards.gateway.ip }), toServer),
    ...none(client, "from another port than a client's", undefined, () => ({ sport: 1068 })),
    ...none(client, 'as the first of two fragments', undefined, () => ({ fragment: { offset: 0, more: true } })),
    ...none(client, "from the neighbour's IP", undefined, ({ cards }) => ({ from: cards.neighbour.ip })),
    ...none(client, 'from 0.0.0.0 to the server alone', undefined, ({ cards }) => ({
      to: cards.gateway.ip,
      unicast: true,
    })),
    ...none(answers, 'to everybody', answer, answering(own)),
    ...none(
      answers,
      "to everybody in the gateway's name",
      answer,
      answering(({ cards }) => cards.gateway.ip),
    ),
    ...none(answers, 'to everybody from another port', answer, answering(own, 1067)),
    ...none(answers, 'to the port of servers', answer, answering(own, SERVER, SERVER)),
  ]),
  ...cases('outside', 'DHCPv4', [
    ...none(client, 'to everybody'),
    ...none(answers, 'to everybody', answer, answering(own)),
    ...none(answers, 'to everybody from another port', answer, answering(own, 1067)),
  ]),
  ...cases('gateway', 'DHCPv4', [
    row(
      'OFFER',
      ['guest', 'neighbour'],
      'OFFER',
      answer,
      answering(({ cards }) => cards.gateway.ip),
    ),
  ]),
  ...cases('guest', 'DHCPv6', [
    ...dhcp6('message types 1 to 13 of a client', 13, 546, 547),
    ...dhcp6('message types 1 to 13 of a server', 13, 547, 546),
  ]),
  ...cases('outside', 'DHCPv6', dhcp6('message types 1 to 13 of a server', 13, 547, 546)),
];

function dhcp6(title: string, count: number, sport: number, dport: number): Row[] {
  return Array.from({ length: count }, (_, index) => ({
    what: `message type ${index + 1} from port ${sport}`,
    title,
    to: 'all',
    heard: nobody,
    frame: (scene) => {
      const message = Buffer.concat([Buffer.from([index + 1, 0, 0, 0]), u16(0, scene.serial)]);
      return multicast6(scene, '33:33:00:01:00:02', 'ff02::1:2', 17, udp(sport, dport, message));
    },
  }));
}
