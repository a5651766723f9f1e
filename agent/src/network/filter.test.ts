import { expect, test } from 'vitest';
import { chainLengths, filterRuleset, filterSets, portElements, readFilter } from './filter.ts';
import { Names } from './names.ts';
import { bridge, flat, officePort, officeSubnet, port, subnet } from './test-resources.ts';

const names = new Names('0123abcd');
const input = { bridges: [bridge, flat], subnets: [subnet, officeSubnet], ports: [port, officePort] };

test('the ruleset of two networks', async () => {
  await expect(filterRuleset(names.table(), filterSets(input, names))).toMatchFileSnapshot('testdata/filter.nft');
});

test('the order in which resources came makes no difference', () => {
  const reversed = {
    bridges: input.bridges.toReversed(),
    subnets: input.subnets.toReversed(),
    ports: input.ports.toReversed(),
  };
  const text = (from: typeof input) => filterRuleset('t', filterSets(from, names));
  expect(text(reversed)).toBe(text(input));
});

test('a network that has no uplink has nothing to keep from it', () => {
  const alone = { ...bridge, spec: { ...bridge.spec, peers: [] } };
  const sets = filterSets({ bridges: [alone], subnets: [subnet], ports: [] }, names);
  expect([...sets.uplinks, ...sets.server_addresses, ...sets.local_macs, ...sets.local_addresses]).toEqual([]);
  expect([...sets.legs]).toEqual([names.leg(subnet.id)]);
});

test('what nft lists is read back; a missing rule is seen', () => {
  const chains = [...chainLengths.keys()].map((name) => ({ chain: { name } }));
  const rules = [...chainLengths].flatMap(([chain, length]) => Array.from({ length }, () => ({ rule: { chain } })));
  const listed = [
    { metainfo: { version: '1.0.6' } },
    { set: { name: 'taps', elem: ['pt0'] } },
    { set: { name: 'macs', elem: [{ concat: ['pt0', '52:54:00:00:00:11'] }] } },
    { set: { name: 'dhcp_macs', elem: [{ concat: ['pt0', 0x525400000011] }] } },
    { set: { name: 'legs' } },
  ];
  const read = (what: unknown[]) => readFilter(JSON.stringify({ nftables: what }));
  const whole = read([...listed, ...chains, ...rules]);
  expect(whole.complete).toBe(true);
  expect(portElements(port, names)).toContainEqual(['dhcp_macs', `${names.tap(port.id)} . ${0x525400000011}`]);
  expect([...whole.sets.dhcp_macs]).toEqual([`pt0 . ${0x525400000011}`]);
  expect([...whole.sets.taps, ...whole.sets.macs, ...whole.sets.legs]).toEqual(['pt0', 'pt0 . 52:54:00:00:00:11']);
  expect(read([...listed, ...chains, ...rules.slice(1)]).complete).toBe(false);
  // The rules of another version, of which there happen to be as many.
  const other = chains.filter(({ chain }) => !chain.name.startsWith('rules_'));
  expect(read([...listed, ...other, ...rules]).complete).toBe(false);
});
