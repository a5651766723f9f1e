import { expect, test } from 'vitest';
import type { PortCommands } from './bridge-port.ts';
import { filterSets } from './filter.ts';
import type { FixedAddress, Link } from './ip.ts';
import { Names } from './names.ts';
import type { PortView } from './port.ts';
import { portCommands, portDrift } from './port.ts';
import { port } from './test-resources.ts';

const names = new Names('0123abcd');
const tap = names.tap(port.id);
const on = names.bridge(port.spec.bridge);
const link: Link = {
  name: tap,
  up: true,
  carrier: true,
  mtuBytes: 1450,
  mac: '',
  alias: names.alias(port),
  master: on,
  switched: { learning: false, flood: false, groups: 0xfffd },
};
const fixed: FixedAddress[] = [{ mac: port.spec.macAddress, dev: tap, sticky: true }];
const lease = '52:54:00:00:00:11,10.20.0.11,web-0';

function view(change: Partial<PortView> = {}, tapChange: Partial<Link> = {}): PortView {
  return {
    links: new Map([[tap, { ...link, ...tapChange }]]),
    fixed,
    filter: filterSets({ bridges: [], subnets: [], ports: [port] }, names),
    leases: new Set([lease]),
    ...change,
  };
}

/** Commands as a person types them. */
function lines({ ip, fdb, after }: PortCommands): string[] {
  const typed = (program: string, commands: PortCommands['ip']) =>
    commands.map((words) => `${program} ${words.join(' ')}`);
  return [...typed('ip', ip), ...typed('bridge', fdb), ...typed('ip', after)];
}

test('a tap is made, marked, and only then put on its bridge', () => {
  expect(lines(portCommands(port, names, { links: new Map(), fixed: [] }))).toEqual([
    `ip tuntap add dev ${tap} mode tap vnet_hdr`,
    `ip link set dev ${tap} alias ${names.alias(port)}`,
    `ip link set dev ${tap} addrgenmode none mtu 1450 master ${on}`,
    `ip link set dev ${tap} type bridge_slave learning off group_fwd_mask 0xfffd flood off fdb_flush`,
    `ip link set dev ${tap} up`,
    `bridge fdb replace 52:54:00:00:00:11 dev ${tap} master static sticky`,
  ]);
});

test('a tap that is in use is switched without a moment in which its address is not known', () => {
  const stale = { mac: '52:54:00:00:00:99', dev: tap, sticky: false };
  expect(lines(portCommands(port, names, { ...view(), fixed: [...fixed, stale] })).slice(1)).toEqual([
    `ip link set dev ${tap} addrgenmode none mtu 1450 master ${on}`,
    `ip link set dev ${tap} type bridge_slave learning off group_fwd_mask 0xfffd`,
    `ip link set dev ${tap} up`,
    `bridge fdb del 52:54:00:00:00:99 dev ${tap} master`,
    `bridge fdb replace 52:54:00:00:00:11 dev ${tap} master static sticky`,
    `ip link set dev ${tap} type bridge_slave flood off fdb_flush`,
  ]);
});

test('a tap that is up but off its bridge is put back while it is down', () => {
  expect(lines(portCommands(port, names, view({}, { master: undefined })))[1]).toBe(`ip link set dev ${tap} down`);
});

test('an interface of this name that is not ours is left alone', () => {
  expect(() => portCommands(port, names, view({}, { alias: undefined }))).toThrow(
    expect.objectContaining({ reason: 'NameTaken', retry: 'terminal' }),
  );
});

test('a tap is put on no bridge of somebody else that has the name of ours', () => {
  const bridge: Link = { ...link, name: on, master: undefined };
  const at = (alias: string | undefined) => ({ ...view(), links: new Map([[on, { ...bridge, alias }]]) });
  const strange = [undefined, names.alias(port), new Names('76543210').alias({ ...port, id: port.spec.bridge })];
  for (const alias of strange)
    expect(() => portCommands(port, names, at(alias))).toThrow(
      expect.objectContaining({ reason: 'NameTaken', retry: 'retry' }),
    );
  expect(() =>
    portCommands(
      port,
      names,
      at(names.alias({ kind: 'bridge', id: port.spec.bridge, owner: port.spec.bridge } as never)),
    ),
  ).not.toThrow();
});

const open = { learning: false, flood: false, groups: 0xfffd };
const bare = filterSets({ bridges: [], subnets: [], ports: [] }, names);
const wider = { ...port, spec: { ...port.spec, addresses: [...port.spec.addresses, '10.20.0.99'] } };
test.each<[string, PortView, RegExp | undefined]>([
  ['as declared', view(), undefined],
  ['without its tap', view({ links: new Map() }), /tap .* is missing/],
  ['off its bridge', view({}, { master: undefined }), /not on the bridge/],
  ['on another bridge', view({}, { master: 'br0' }), /not on the bridge/],
  ['of which its bridge learns', view({}, { switched: { ...open, learning: true } }), /learns addresses/],
  ['whose groups pass the filter', view({}, { switched: { ...open, groups: 0 } }), /groups of bridges pass/],
  ['to which unknown frames go', view({}, { switched: { ...open, flood: true } }), /unknown addresses/],
  ['whose address is learned only', view({ fixed: [] }), /fixed to it/],
  ['whose address may move', view({ fixed: fixed.map((one) => ({ ...one, sticky: false })) }), /fixed to it/],
  ['down', view({}, { up: false }), /is down/],
  ['with another MTU', view({}, { mtuBytes: 9000 }), /MTU of 9000/],
  ['that somebody else made', view({}, { alias: undefined }), /was not made for it/],
  ['without its lease', view({ leases: new Set() }), /lease is missing/],
  ['without a filter', view({ filter: undefined }), /filter .* is missing/],
  ['without its own elements', view({ filter: bare }), /filter .* is missing/],
  [
    'let through with more addresses',
    view({ filter: filterSets({ bridges: [], subnets: [], ports: [wider] }, names) }),
    /other addresses/,
  ],
])('a port %s', (_what, at, sentence) => {
  const drift = portDrift(port, names, at);
  if (sentence === undefined) expect(drift).toEqual([]);
  else expect(drift).toEqual([expect.stringMatching(sentence)]);
});
