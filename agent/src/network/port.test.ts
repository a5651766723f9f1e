import { expect, test } from 'vitest';
import { filterSets } from './filter.ts';
import type { Link } from './ip.ts';
import { Names } from './names.ts';
import type { PortView } from './port.ts';
import { portCommands, portDrift } from './port.ts';
import { port } from './test-things.ts';

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
};
const lease = '52:54:00:00:00:11,10.20.0.11,web-0';

function view(change: Partial<PortView> = {}, tapChange: Partial<Link> = {}): PortView {
  return {
    links: new Map([[tap, { ...link, ...tapChange }]]),
    filter: filterSets({ bridges: [], subnets: [], ports: [port] }, names),
    leases: new Set([lease]),
    ...change,
  };
}

test('a tap is made, marked, and only then put on its bridge', () => {
  const lines = portCommands(port, names, new Map()).map((words) => words.join(' '));
  expect(lines).toEqual([
    `tuntap add dev ${tap} mode tap vnet_hdr`,
    `link set dev ${tap} alias ${names.alias(port)}`,
    `link set dev ${tap} addrgenmode none mtu 1450 master ${on} up`,
  ]);
  expect(portCommands(port, names, view().links).map((words) => words.join(' '))).toEqual(lines.slice(1));
});

test('an interface of this name that is not ours is left alone', () => {
  expect(() => portCommands(port, names, view({}, { alias: undefined }).links)).toThrow(
    expect.objectContaining({ reason: 'NameTaken', retry: 'terminal' }),
  );
});

const bare = filterSets({ bridges: [], subnets: [], ports: [] }, names);
const wider = { ...port, spec: { ...port.spec, addresses: [...port.spec.addresses, '10.20.0.99'] } };
test.each<[string, PortView, RegExp | undefined]>([
  ['as declared', view(), undefined],
  ['without its tap', view({ links: new Map() }), /tap .* is missing/],
  ['off its bridge', view({}, { master: undefined }), /not on the bridge/],
  ['on another bridge', view({}, { master: 'br0' }), /not on the bridge/],
  ['down', view({}, { up: false }), /is down/],
  ['with another MTU', view({}, { mtuBytes: 9000 }), /MTU of 9000/],
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
