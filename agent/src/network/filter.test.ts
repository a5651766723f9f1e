import { expect, test } from 'vitest';
import { chainLengths, filterRuleset, filterSets, readFilter } from './filter.ts';
import { Names } from './names.ts';
import { bridge, flat, officePort, officeSubnet, port, subnet } from './test-things.ts';

const names = new Names('0123abcd');
const input = { bridges: [bridge, flat], subnets: [subnet, officeSubnet], ports: [port, officePort] };

test('the ruleset of two networks', async () => {
  await expect(filterRuleset(names.table(), filterSets(input, names))).toMatchFileSnapshot('testdata/filter.nft');
});

test('the order in which things came makes no difference', () => {
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
  expect([...sets.uplinks, ...sets.server_addresses, ...sets.server_macs]).toEqual([]);
  expect([...sets.legs]).toEqual([names.leg(subnet.id)]);
});

test('what nft lists is read back; a missing rule is seen', () => {
  const rules = [...chainLengths].flatMap(([chain, length]) => Array.from({ length }, () => ({ rule: { chain } })));
  const listed = [
    { metainfo: { version: '1.0.6' } },
    { set: { name: 'taps', elem: ['pt0'] } },
    { set: { name: 'macs', elem: [{ concat: ['pt0', '52:54:00:00:00:11'] }] } },
    { set: { name: 'legs' } },
  ];
  const read = (what: unknown[]) => readFilter(JSON.stringify({ nftables: what }));
  const whole = read([...listed, ...rules]);
  expect(whole.complete).toBe(true);
  expect([...whole.sets.taps, ...whole.sets.macs, ...whole.sets.legs]).toEqual(['pt0', 'pt0 . 52:54:00:00:00:11']);
  expect(read([...listed, ...rules.slice(1)]).complete).toBe(false);
});
