/**
 * Security groups as the kernel's packet filter has them. Pure.
 *
 * What a packet is to its connection, the connection tracking of the host says; bridges hand it their packets (br_netfilter), and a table
 * of the family inet writes it into the mark of the packet: whether it is an answer. Another of the family bridge, which knows the ports,
 * judges every packet by the rules: an answer by those for the connection that it belongs to, with its ends exchanged. So nothing is
 * let through because it once was: with a rule go the connections that it alone allowed.
 */
import { createHash } from 'node:crypto';
import type { HostResource } from '@plumb/schemas';
import { parseCidr } from '../network/ipv4.ts';
import type { Names } from '../network/names.ts';

export interface PolicyInput {
  filters: readonly HostResource<'port-filter'>[];
  rulesets: readonly HostResource<'ruleset'>[];
  addressGroups: readonly HostResource<'address-group'>[];
  /** Those of the filters, and perhaps others. */
  ports: readonly HostResource<'port'>[];
  subnets: readonly HostResource<'subnet'>[];
}

type Rule = HostResource<'ruleset'>['spec']['ingress'][number];

/** Of an answer, and of what the network says of a connection that is there (RFC 792). */
const ANSWER = 0x00200000;
const RELATED = 0x00400000;
const OURS = 0x00600000;
const is = (bit: number) => `meta mark & 0x${bit.toString(16)} != 0`;

/** Before other tables look, and after the connection is known. */
const TELL_PRIORITY = -150;
/** What bridges hand to the family inet comes back at 0. */
const JUDGE_PRIORITY = 10;

/** Zones of connection tracking are numbers; 0 is everybody's. */
const MOST_ZONES = 0xffff;

/** Answers of a type of ICMP are of another (RFC 792, RFC 950). */
const ICMP_ANSWERS: ReadonlyMap<number, number> = new Map([
  ...[[8, 0] as const, [13, 14] as const, [15, 16] as const, [17, 18] as const],
]);

/** Bridges with a port that is filtered, each with its zone: the same addresses may be on several. */
export function zonesOf({ filters, ports }: PolicyInput): Map<string, number> {
  const byId = new Map(ports.map((port) => [port.id, port]));
  const bridges = new Set(filters.flatMap(({ spec }) => byId.get(spec.port)?.spec.bridge ?? []));
  const zones = new Map<string, number>();
  const taken = new Set<number>();
  for (const bridge of [...bridges].sort()) {
    let zone = 1 + (Number.parseInt(digest(bridge).slice(0, 8), 16) % MOST_ZONES);
    while (taken.has(zone)) zone = (zone % MOST_ZONES) + 1;
    taken.add(zone);
    zones.set(bridge, zone);
  }
  return zones;
}

/** The names of both tables; the families tell them apart. */
export function groupsTable(names: Names): string {
  return `${names.table()}_groups`;
}

/** Text for `nft -f`: replaces both tables at once, so that there is no moment without them. Removes them when nothing is filtered. */
export function policyRuleset(input: PolicyInput, names: Names): string {
  const table = groupsTable(names);
  const away = ['inet', 'bridge'].flatMap((family) => [`table ${family} ${table}`, `delete table ${family} ${table}`]);
  if (input.filters.length === 0) return [...away, ''].join('\n');
  return [...away, ...tellTable(input, names), ...judgeTable(input, names), ''].join('\n');
}

/** Says of each packet of these bridges what it is to its connection. */
function tellTable(input: PolicyInput, names: Names): string[] {
  const zones = [...zonesOf(input)].map(([bridge, zone]) => [names.bridge(bridge), zone] as const);
  const bridges = `iifname { ${zones.map(([name]) => `"${name}"`).join(', ')} }`;
  return [
    `table inet ${groupsTable(names)} {`,
    `  map zones { typeof iifname : ct zone; elements = { ${zones.map(([name, zone]) => `"${name}" : ${zone}`).join(', ')} }; }`,
    '  chain apart {',
    '    type filter hook prerouting priority raw; policy accept;',
    '    ct zone set iifname map @zones',
    '  }',
    '  chain told {',
    `    type filter hook prerouting priority ${TELL_PRIORITY}; policy accept;`,
    `    ${bridges} jump connection`,
    '  }',
    '  chain connection {',
    `    meta mark set meta mark & ${hex(~OURS >>> 0)}`,
    `    ct state related meta mark set meta mark | ${hex(RELATED)}`,
    `    ct state established ct direction reply meta mark set meta mark | ${hex(ANSWER)}`,
    '  }',
    '}',
  ];
}

/** Judges the packets to and from each filtered port. */
function judgeTable(input: PolicyInput, names: Names): string[] {
  const groups = new Set(input.addressGroups.map(({ id }) => id));
  const rulesets = new Map(input.rulesets.map((ruleset) => [ruleset.id, ruleset]));
  const together = new Map<string, { rulesets: HostResource<'ruleset'>[]; taps: string[] }>();
  for (const { spec } of input.filters) {
    const found = spec.rulesets.flatMap((id) => rulesets.get(id) ?? []);
    const name = digest(spec.rulesets.join(' '));
    const known = together.get(name);
    if (known) known.taps.push(names.tap(spec.port));
    else together.set(name, { rulesets: found, taps: [names.tap(spec.port)] });
  }
  const sorted = [...together].sort(([a], [b]) => (a < b ? -1 : 1));
  const verdicts = (chain: string) =>
    sorted.flatMap(([name, { taps }]) => taps.sort().map((tap) => `"${tap}" : jump ${chain}_${name}`)).join(', ');
  const legs = input.subnets.map(({ id }) => `"${names.leg(id)}"`).sort();
  const lines = [`table bridge ${groupsTable(names)} {`];
  for (const group of input.addressGroups.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    lines.push(`  set ${setOf(group.id)} { type ipv4_addr;${elements(group.spec.addresses)} }`);
  lines.push(`  set legs { type ifname;${elements(legs)} }`);
  lines.push(`  map to { type ifname : verdict; elements = { ${verdicts('in')} }; }`);
  lines.push(`  map from { type ifname : verdict; elements = { ${verdicts('out')} }; }`);
  for (const [name, { rulesets: added }] of sorted) lines.push(...chains(name, added, groups));
  lines.push(
    '  chain forward {',
    `    type filter hook forward priority ${JUDGE_PRIORITY}; policy accept;`,
    '    ether type ip iifname vmap @from',
    '    ether type ip oifname vmap @to',
    '  }',
    '}',
  );
  return lines;
}

function elements(values: readonly string[]): string {
  return values.length === 0 ? '' : ` elements = { ${[...new Set(values)].join(', ')} };`;
}

/** Which end of a packet is the other one, and whether it is an answer. */
interface Way {
  other: 'saddr' | 'daddr';
  /** By which port the rule is: that of who was called. */
  port: 'dport' | 'sport';
  answer: boolean;
}

/** The chains for ports with these rulesets, which add up. A packet that returns is let through. */
function chains(name: string, rulesets: readonly HostResource<'ruleset'>[], groups: ReadonlySet<string>): string[] {
  const inForce = rulesets.filter(({ spec }) => !spec.log);
  // Only where nothing is in force are rules tried: what is dropped otherwise, more rules would let through.
  const tried = inForce.length === 0;
  const judged = tried ? rulesets : inForce;
  const end = tried ? 'counter return' : 'drop';
  const ingress = judged.flatMap(({ spec }) => spec.ingress);
  const isLimited = judged.some(({ spec }) => spec.egress !== undefined);
  const egress = isLimited ? judged.flatMap(({ spec }) => spec.egress ?? []) : [{}];
  const body = (rules: readonly Rule[], way: Way) => ruleLines(rules, way, groups);
  const chain = (title: string, rules: readonly string[]) => [
    `  chain ${title}_${name} {`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ];
  return [
    // An answer to what the guest asked for goes by the rules for what goes out, and the other way round.
    ...chain('in_answer', [...body(egress, { other: 'saddr', port: 'sport', answer: true }), end]),
    ...chain('out_answer', [...body(ingress, { other: 'daddr', port: 'sport', answer: true }), end]),
    ...chain('in', [
      'udp dport 68 return',
      `${is(RELATED)} return`,
      'iifname @legs meta l4proto { tcp, udp } th sport 53 return',
      `${is(ANSWER)} goto in_answer_${name}`,
      ...body(ingress, { other: 'saddr', port: 'dport', answer: false }),
      end,
    ]),
    ...chain('out', [
      'udp dport 67 return',
      `${is(RELATED)} return`,
      'oifname @legs meta l4proto { tcp, udp } th dport 53 return',
      `${is(ANSWER)} goto out_answer_${name}`,
      ...body(egress, { other: 'daddr', port: 'dport', answer: false }),
      end,
    ]),
  ];
}

function ruleLines(rules: readonly Rule[], way: Way, groups: ReadonlySet<string>): string[] {
  return [...new Set(rules.flatMap((rule) => linesOf(rule, way, groups)))];
}

function linesOf(rule: Rule, way: Way, groups: ReadonlySet<string>): string[] {
  const what = matchOf(rule, way);
  if (what === undefined) return [];
  const { cidrs = [], groups: named = [] } = rule;
  if (cidrs.length === 0 && rule.groups === undefined) return [`${what}return`];
  const subnets = outermost(cidrs);
  return [
    ...(subnets.length === 0 ? [] : [`ip ${way.other} { ${subnets.join(', ')} } ${what}return`]),
    ...named.filter((id) => groups.has(id)).map((id) => `ip ${way.other} @${setOf(id)} ${what}return`),
  ];
}

/** What the packet is beside its other end, with a blank behind it; undefined when nothing is. */
function matchOf({ protocol, port, endPort = port, icmpType, icmpCode }: Rule, way: Way): string | undefined {
  switch (protocol) {
    case undefined:
      return '';
    case 'TCP':
    case 'UDP': {
      const word = protocol.toLowerCase();
      if (port === undefined) return `ip protocol ${word} `;
      return `${word} ${way.port} ${endPort === port ? port : `${port}-${endPort}`} `;
    }
    case 'ICMP': {
      if (icmpType === undefined) return 'ip protocol icmp ';
      if (way.answer) {
        const answer = ICMP_ANSWERS.get(icmpType);
        return answer === undefined ? undefined : `icmp type ${answer} `;
      }
      return `icmp type ${icmpType} ${icmpCode === undefined ? '' : `icmp code ${icmpCode} `}`;
    }
  }
}

/** Subnets that lie in no other of them; nft refuses a set in which some do. */
function outermost(cidrs: readonly string[]): string[] {
  const parsed = cidrs.map(parseCidr).sort((a, b) => a.prefixLength - b.prefixLength);
  const kept: { address: string; prefixLength: number }[] = [];
  for (const one of parsed) {
    const isInside = kept.some((outer) => parseCidr(`${one.address}/${outer.prefixLength}`).address === outer.address);
    if (!isInside) kept.push(one);
  }
  return kept.map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort();
}

function setOf(groupId: string): string {
  return `group_${digest(groupId)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
