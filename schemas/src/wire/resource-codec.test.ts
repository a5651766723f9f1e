import { describe, expect, test } from 'vitest';
import { PlumbError } from '../meta/error.ts';
import type { LiveResource } from '../resources/host-resources.ts';
import type { WireResource } from './messages.ts';
import { liveResourceFromWire, liveResourceToWire, resourceFromWire, resourceToWire } from './resource-codec.ts';

const bridge: LiveResource = {
  kind: 'bridge',
  id: 'b1',
  owner: 'b1',
  spec: { name: 'lab', type: 'vxlan', vni: 7, mtuBytes: 1450, peers: ['192.0.2.1'] },
  drift: ['it is down'],
};
const domain: LiveResource = {
  kind: 'domain',
  id: 'd1',
  owner: 'd1',
  spec: { name: 'default.web', cpus: 1, memoryMiB: 96, disks: ['d1.root'], ports: [], power: 'Running' },
  drift: [],
  domain: { state: 'off', reason: 'crashed' },
};

const running: LiveResource = { ...domain, domain: { state: 'running', reason: 'booted', maxCpus: 4 } };
const odd: LiveResource = {
  ...domain,
  domain: { state: 'off', reason: 'panicked', oldSeed: true, atRisk: 'a snapshot', edited: 'by hand', paused: 'full' },
};

test.each([bridge, domain, running, odd])('a live $kind is the same after the wire', (live) => {
  expect(liveResourceFromWire(liveResourceToWire(live))).toEqual(live);
});

test('what a newer agent says of a domain is unknown here', () => {
  const wire = {
    ...liveResourceToWire(domain),
    domain: { ...liveResourceToWire(domain).domain!, state: 'suspended', reason: 'hibernated' },
  };
  expect(liveResourceFromWire(wire).domain).toEqual({ state: 'off', reason: 'unknown' });
});

describe('what is not understood is refused for good', () => {
  const good = resourceToWire(bridge);
  const cases: [string, WireResource | null, string][] = [
    ['nothing', null, 'it is empty'],
    ['an unknown kind', { ...good, kind: 'teapot' }, 'kind "teapot"'],
    ['a kind that every object has', { ...good, kind: 'constructor' }, 'kind "constructor"'],
    ['no JSON', { ...good, spec: '{' }, 'is not JSON'],
    ['a missing field', { ...good, spec: '{"name":"lab","type":"flat","peers":[]}' }, 'mtuBytes is required'],
    ['a wrong type', { ...good, spec: JSON.stringify({ ...bridge.spec, mtuBytes: '1450' }) }, 'mtuBytes must be'],
    [
      'an unknown field',
      { ...good, spec: JSON.stringify({ ...bridge.spec, color: 'red' }) },
      'color is not a known field',
    ],
    [
      'a prototype',
      { ...good, spec: '{"__proto__":{},"name":"","type":"flat","mtuBytes":1,"peers":[]}' },
      '__proto__ is not a known field',
    ],
    ['a path as id', { ...good, id: '../../etc/passwd' }, 'is not one'],
    ['an empty id', { ...good, id: '' }, 'is not one'],
    ['an option as owner', { ...good, owner: '-rf' }, 'is not a uid'],
  ];
  test.each(cases)('%s', (_, wire, part) => {
    expect(() => resourceFromWire(wire)).toThrow(part);
    try {
      resourceFromWire(wire);
    } catch (error) {
      expect(error).toBeInstanceOf(PlumbError);
      expect(error).toMatchObject({ reason: 'UnsupportedResource', retry: 'terminal' });
    }
  });

  test('values stay out of the message', () => {
    const wire = { ...good, spec: JSON.stringify({ ...bridge.spec, mtuBytes: 's3cret' }) };
    expect(() => resourceFromWire(wire)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    );
    const broken = { ...good, spec: '{"userData": s3cret' };
    expect(() => resourceFromWire(broken)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    );
  });

  test('a spec of nothing but mistakes is refused in short', () => {
    const peers = Array.from({ length: 200_000 }, () => 1);
    const wire = { ...good, spec: JSON.stringify({ ...bridge.spec, peers }) };
    expect(() => resourceFromWire(wire)).toThrow(/peers\[99\] must be a string.*and 199,900 more/);
  });
});
