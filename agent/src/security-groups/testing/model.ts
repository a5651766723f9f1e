/** What security groups do to packets, as the documentation of the kind says it: written by itself, to compare with what the kernel does. */
import type { HostResource } from '@plumb/schemas';

type Ruleset = HostResource<'ruleset'>['spec'];
type Rule = Ruleset['ingress'][number];

export interface Packet {
  from: string;
  to: string;
  protocol: 'TCP' | 'UDP' | 'ICMP';
  /** Ports of TCP and UDP. */
  sport?: number;
  dport?: number;
  /** Of ICMP. */
  type?: number;
  code?: number;
  /** Tells one exchange of ICMP from others. */
  id?: number;
}

export interface ModelOptions {
  /** Address of a filtered interface → the rulesets that select it. */
  filtered: ReadonlyMap<string, readonly Ruleset[]>;
  /** id of an address group → its addresses. */
  groups: ReadonlyMap<string, readonly string[]>;
  /** Addresses of DHCP and DNS servers of networks. */
  servers: ReadonlySet<string>;
}

const ANSWERS = new Map([
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
]);

export class Model {
  /** The first packets of connections that were let through. */
  readonly #connections = new Map<string, Packet>();

  /** Whether the packet arrives. Remembers that it did. */
  passes(packet: Packet, options: ModelOptions): boolean {
    const first = this.#connections.get(keyOf(answerTo(packet)));
    const [caller, called] = first ? [packet.to, packet.from] : [packet.from, packet.to];
    const opening = first ?? packet;
    for (const [end, address] of [
      ['caller', caller],
      ['called', called],
    ] as const) {
      const rulesets = options.filtered.get(address);
      if (rulesets !== undefined && !this.#allows(rulesets, end, opening, options)) return false;
    }
    // An answer of a type that no request has begins nothing.
    if (!first) this.#connections.set(keyOf(packet), packet);
    return true;
  }

  #allows(all: readonly Ruleset[], end: 'caller' | 'called', opening: Packet, options: ModelOptions): boolean {
    const inForce = all.filter(({ log }) => !log);
    if (inForce.length === 0) return true;
    if (end === 'called')
      return inForce.some(({ ingress }) => ingress.some((rule) => matches(rule, opening, opening.from, options)));
    if (options.servers.has(opening.to) && opening.protocol !== 'ICMP' && opening.dport === 53) return true;
    const limits = inForce.filter(({ egress }) => egress !== undefined);
    if (limits.length === 0) return true;
    return limits.some(({ egress = [] }) => egress.some((rule) => matches(rule, opening, opening.to, options)));
  }
}

function matches(rule: Rule, packet: Packet, other: string, { groups }: ModelOptions): boolean {
  const { protocol, port, endPort = port, icmpType, icmpCode, cidrs = [], groups: named } = rule;
  if (protocol !== undefined && protocol !== packet.protocol) return false;
  if (port !== undefined && (packet.dport! < port || packet.dport! > endPort!)) return false;
  if (icmpType !== undefined && packet.type !== icmpType) return false;
  if (icmpCode !== undefined && packet.code !== icmpCode) return false;
  if (cidrs.length === 0 && named === undefined) return true;
  return cidrs.some((cidr) => isIn(other, cidr)) || (named ?? []).some((id) => groups.get(id)?.includes(other));
}

function isIn(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/');
  const bits = (text: string) =>
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(length));
  return bits(address) === bits(network);
}

/** The packet to which this one would be the answer. */
function answerTo({ from, to, sport, dport, type, ...rest }: Packet): Packet {
  const asked = type === undefined ? undefined : [...ANSWERS].find(([, answer]) => answer === type)?.[0];
  return {
    ...rest,
    ...{ from: to, to: from },
    ...(dport === undefined ? {} : { sport: dport, dport: sport! }),
    ...(type === undefined ? {} : { type: asked ?? -1 }),
  };
}

function keyOf({ from, to, protocol, sport, dport, type, id }: Packet): string {
  return [from, to, protocol, sport, dport, type, protocol === 'ICMP' ? id : ''].join(' ');
}
