/** Policies and packets at random: few addresses and ports, so that rules and packets meet. */
import type { HostResource } from '@plumb/schemas';
import fc from 'fast-check';
import type { Packet } from './model.ts';

export interface Policy {
  filters: HostResource<'port-filter'>[];
  rulesets: HostResource<'ruleset'>[];
  addressGroups: HostResource<'address-group'>[];
}

/** By which tests know that everything before has arrived: every group lets it through. */
export const MARK_PORT = 40_001;

type Rule = HostResource<'ruleset'>['spec']['ingress'][number];

const PORTS = [22, 53, 80, 81, 443];
const GROUPS = ['a', 'b', 'c'].map((letter) => `5ec00000-0000-4000-8000-00000000000${letter}`);
const marks: Rule = { protocol: 'UDP', port: MARK_PORT };

export function policies(ports: readonly HostResource<'port'>[], addresses: readonly string[]): fc.Arbitrary<Policy> {
  const group = (id: string) =>
    fc.subarray([...addresses, '10.20.0.77']).map(
      (chosen): HostResource<'address-group'> => ({
        ...{ kind: 'address-group', id, owner: id },
        spec: { name: 'default/group', addresses: chosen.toSorted() },
      }),
    );
  const ruleset = (id: string) =>
    fc
      .record({
        ingress: fc.array(rule(addresses), { maxLength: 5 }),
        egress: fc.option(fc.array(rule(addresses), { maxLength: 4 }), { nil: undefined }),
        log: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      })
      .map(
        ({ ingress, egress, log }): HostResource<'ruleset'> => ({
          ...{ kind: 'ruleset', id, owner: id },
          spec: {
            name: 'default/group',
            ingress: [...ingress, marks],
            ...(egress === undefined ? {} : { egress: [...egress, marks] }),
            ...(log ? { log } : {}),
          },
        }),
      );
  const filters = fc.tuple(...ports.map((port) => fc.tuple(fc.constant(port), fc.subarray(GROUPS))));
  return fc
    .tuple(filters, fc.tuple(...GROUPS.map(ruleset)), fc.tuple(...GROUPS.map(group)))
    .map(([chosen, rulesets, addressGroups]) => ({
      filters: chosen.flatMap(([{ id, owner }, ids]): HostResource<'port-filter'>[] =>
        ids.length === 0 ? [] : [{ kind: 'port-filter', id, owner, spec: { port: id, rulesets: ids } }],
      ),
      ...{ rulesets, addressGroups },
    }));
}

function rule(addresses: readonly string[]): fc.Arbitrary<Rule> {
  const cidr = fc.oneof(
    fc.constantFrom(...addresses).map((address) => `${address}/32`),
    fc.constantFrom('10.20.0.0/24', '10.20.0.8/29', '0.0.0.0/0', '10.20.0.12/30', '10.0.0.0/8'),
  );
  const what = fc.oneof(
    fc.constant({}),
    fc.tuple(fc.constantFrom('TCP' as const, 'UDP' as const), fc.nat(4), fc.nat(4)).map(([protocol, a, b]) => {
      const [port, endPort] = [PORTS[Math.min(a, b)]!, PORTS[Math.max(a, b)]!];
      return { protocol, port, ...(endPort === port ? {} : { endPort }) };
    }),
    fc.constantFrom('TCP' as const, 'UDP' as const, 'ICMP' as const).map((protocol) => ({ protocol })),
    fc
      .tuple(fc.constantFrom(8, 13, 3), fc.option(fc.constantFrom(0, 1), { nil: undefined }))
      .map(([icmpType, icmpCode]) => ({
        ...{ protocol: 'ICMP' as const, icmpType },
        ...(icmpCode === undefined ? {} : { icmpCode }),
      })),
  );
  const ends = fc.oneof(
    fc.constant({}),
    fc.array(cidr, { minLength: 1, maxLength: 3 }).map((cidrs) => ({ cidrs: [...new Set(cidrs)] })),
    fc.subarray(GROUPS).map((groups) => ({ groups })),
    fc.tuple(cidr, fc.constantFrom(...GROUPS)).map(([one, id]) => ({ cidrs: [one], groups: [id] })),
  );
  return fc.tuple(what, ends).map(([match, end]) => ({ ...match, ...end }));
}

let exchanges = 0;

export function packetIn(addresses: readonly string[]): fc.Arbitrary<Packet> {
  const ends = fc
    .tuple(fc.constantFrom(...addresses), fc.constantFrom(...addresses))
    .filter(([from, to]) => from !== to);
  const what = fc.oneof(
    fc.record({
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const),
      sport: fc.integer({ min: 20_000, max: 39_000 }),
      dport: fc.constantFrom(...PORTS, 79, 82),
    }),
    fc.record({ protocol: fc.constant('ICMP' as const), type: fc.constantFrom(8, 8, 13), code: fc.constant(0) }),
  );
  return fc.tuple(ends, what).map(([[from, to], match]) => ({
    ...{ from, to, ...match },
    ...(match.protocol === 'ICMP' ? { id: ++exchanges & 0xffff } : {}),
  }));
}
