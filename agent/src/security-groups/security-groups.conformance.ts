/** Random policies and packets over the kernel's own bridges: what the model says is what arrives. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ethernet, ipv4 } from '../network/isolation/frames.ts';
import { type Party, World } from '../network/isolation/world.ts';
import { SecurityGroups } from './security-groups.ts';
import { ANSWERED, payloadOf } from './testing/frames.ts';
import { Model, type Packet } from './testing/model.ts';
import { MARK_PORT, type Policy, packetIn, policies } from './testing/random.ts';

const ROUNDS = Number(process.env.PLUMB_POLICIES ?? 12);
const PACKETS = 60;
const SPEAKERS = ['guest', 'neighbour', 'outside', 'gateway'] as const satisfies readonly Party[];

let world: World;
let folder: string;
let groups: SecurityGroups;
let serial = 0;

beforeAll(async () => {
  world = await World.open();
  folder = await mkdtemp(join(tmpdir(), 'plumb-groups-'));
  groups = new SecurityGroups({
    ...{ dataDir: folder, names: world.names, run: world.run },
    networks: () => world.network.declared(),
    links: () => world.network.links(),
    track: (bridge) => world.network.track(bridge),
    loads: () => () => {},
  });
}, 60_000);

afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Not what every host drops by itself: between uplinks and legs, and many calls of its DNS server. */
function isOpen({ from, to, protocol, dport }: Packet): boolean {
  const ends = [partyOf(from), partyOf(to)];
  if (ends.includes('outside') && ends.includes('gateway')) return false;
  return !(protocol === 'TCP' && dport === 53 && ends[1] === 'gateway');
}

const partyOf = (address: string) => SPEAKERS.find((party) => world.cards[party].ip === address)!;

/** Sends packets of one party after another, in order, and says which arrived. */
async function send(packets: readonly Packet[]): Promise<boolean[]> {
  const arrived: boolean[] = packets.map(() => false);
  for (const from of SPEAKERS) {
    const own = packets
      .map((packet, index) => ({ packet, index }))
      .filter(({ packet }) => partyOf(packet.from) === from);
    if (own.length === 0) continue;
    const frames = own.map(({ packet }) => frameOf(packet));
    const heard = await world.send(from, frames);
    for (const [n, { packet, index }] of own.entries()) arrived[index] = heard[n]!.has(partyOf(packet.to));
  }
  return arrived;
}

function frameOf(packet: Packet): Buffer {
  const [from, to] = [world.cards[partyOf(packet.from)], world.cards[partyOf(packet.to)]];
  serial = (serial + 1) % 0xe000;
  const protocol = { ICMP: 1, TCP: 6, UDP: 17 }[packet.protocol];
  const payload = ipv4({ from: packet.from, to: packet.to, protocol, payload: payloadOf(packet), id: serial + 1 });
  return ethernet({ to: to.mac, from: from.mac, type: 0x0800, payload });
}

async function put({ filters, rulesets, addressGroups }: Policy): Promise<void> {
  const wanted = new Map<string, HostResource<'port-filter' | 'ruleset' | 'address-group'>>();
  for (const resource of [...addressGroups, ...rulesets, ...filters])
    wanted.set(`${resource.kind}/${resource.id}`, resource);
  for (const resource of wanted.values()) await groups.ensure(resource);
  for (const kind of ['port-filter', 'ruleset', 'address-group'] as const)
    for (const { id } of await groups.observe(kind)) if (!wanted.has(`${kind}/${id}`)) await groups.remove(kind, id);
}

test('what the rules say is what arrives, of what begins, of answers, and after the rules were changed', async () => {
  const { ports, subnets } = world.resources;
  const { cards } = world;
  const filterable = [ports.guest, ports.neighbour];
  const addresses = SPEAKERS.map((party) => cards[party].ip);
  const differences: string[] = [];
  let sent = 0;
  for (const [n, policy] of fc
    .sample(policies(filterable, addresses), { numRuns: ROUNDS, seed: Date.now() })
    .entries()) {
    await put(policy);
    const options = {
      filtered: new Map(
        policy.filters.map(({ spec }) => [
          filterable.find(({ id }) => id === spec.port)!.spec.addresses[0]!,
          spec.rulesets.map((id) => policy.rulesets.find((ruleset) => ruleset.id === id)!.spec),
        ]),
      ),
      groups: new Map(policy.addressGroups.map(({ id, spec }) => [id, spec.addresses])),
      servers: new Set([subnets[0].spec.serverAddress]),
    };
    const model = new Model();
    const check = async (packets: readonly Packet[], now = options) => {
      const arrived = await send(packets);
      sent += packets.length;
      // In the order in which they were sent: those of one party after another.
      for (const party of SPEAKERS)
        for (const [i, packet] of packets.entries())
          if (partyOf(packet.from) === party && model.passes(packet, now) !== arrived[i])
            differences.push(`policy ${n}: ${JSON.stringify(packet)} arrived: ${arrived[i]}`);
      return packets.filter((_, i) => arrived[i]);
    };
    const opening = fc.sample(packetIn(addresses).filter(isOpen), { numRuns: PACKETS, seed: n });
    const begun = await check(distinct(opening));
    const answers = begun.map(answer).filter((packet) => packet !== undefined);
    await check(distinct(answers));
    // The same connections once no ruleset allows anything but the marks.
    const closed = { ...policy, rulesets: policy.rulesets.map((one) => ({ ...one, spec: shut(one.spec) })) };
    await put(closed);
    const shutFor = (list: readonly HostResource<'ruleset'>['spec'][]) => list.map(shut);
    await check(distinct([...begun, ...answers]), {
      ...options,
      filtered: new Map([...options.filtered].map(([address, rulesets]) => [address, shutFor(rulesets)])),
    });
  }
  expect(differences.slice(0, 40)).toEqual([]);
  expect(sent).toBeGreaterThan(ROUNDS * PACKETS);
}, 1_800_000);

const table = () => `${world.names.table()}_groups`;
const bridgeOf = () => world.names.bridge(world.resources.ports.guest.spec.bridge);

describe.each<[string, () => Promise<string>]>([
  ['a chain is emptied', () => world.run('nft', ['flush', 'chain', 'bridge', table(), 'forward'])],
  ['a table goes', () => world.run('nft', ['delete', 'table', 'inet', table()])],
  [
    'the bridge hands no packets over',
    () => world.run('ip', ['link', 'set', 'dev', bridgeOf(), 'type', 'bridge', 'nf_call_iptables', '0']),
  ],
])('when %s behind our back', (_, harm) => {
  test.each(['by itself', 'by being told to have the filter'] as const)(
    'that is drift, and is mended %s',
    async (how) => {
      const { guest } = world.resources.ports;
      const [policy] = fc.sample(policies([guest], ['10.20.0.12']), { numRuns: 1, seed: 1 });
      const rulesets = policy!.rulesets.map(({ id }) => id);
      const filter: HostResource<'port-filter'> = {
        ...{ kind: 'port-filter', id: guest.id, owner: guest.owner },
        spec: { port: guest.id, rulesets },
      };
      await put({ ...policy!, filters: [filter] });
      const drift = async () => (await groups.observe('port-filter')).flatMap((one) => one.drift);
      expect(await drift()).toEqual([]);
      await harm();
      expect(await drift()).toHaveLength(1);
      await (how === 'by itself' ? groups.mend() : groups.ensure(filter));
      expect(await drift()).toEqual([]);
    },
  );
});

test('with the last filter both tables go', async () => {
  await put({ filters: [], rulesets: [], addressGroups: [] });
  expect(await world.run('nft', ['list', 'tables'])).not.toContain('_groups');
});

function shut(spec: HostResource<'ruleset'>['spec']): HostResource<'ruleset'>['spec'] {
  const marks = [{ protocol: 'UDP', port: MARK_PORT } as const];
  return { name: spec.name, ingress: marks, ...(spec.log ? { log: true } : {}), egress: marks };
}

function answer({ from, to, sport, dport, type, ...rest }: Packet): Packet | undefined {
  if (type !== undefined && type !== 8) return undefined;
  const ends = { ...rest, from: to, to: from };
  if (sport === undefined) return { ...ends, type: 0, code: 0 };
  return { ...ends, sport: dport!, dport: sport, ...(rest.protocol === 'TCP' ? { id: ANSWERED } : {}) };
}

function distinct(packets: readonly Packet[]): Packet[] {
  return [...new Map(packets.map((packet) => [JSON.stringify(packet), packet])).values()];
}
