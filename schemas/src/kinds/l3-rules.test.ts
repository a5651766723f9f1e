import { expect, test } from 'vitest';
import { validateObject } from '../project/validate.ts';
import { l3Network } from './l3-network.ts';

const mistakes = (ipv4: object, before?: object) =>
  validateObject(
    l3Network,
    {
      apiVersion: 'plumb.dev/v1',
      kind: 'L3Network',
      metadata: { name: 'lab', namespace: 'default' },
      spec: { l2Network: 'lab', ipv4 },
    },
    { strictUnknown: true, ...(before ? { before: { spec: { l2Network: 'lab', ipv4: before } } } : {}) },
  ).map(({ field, message }) => `${field} ${message}`);

const cidr = '10.20.0.0/24';

test.each([
  [{ cidr }],
  [{ cidr: '0.0.0.0/0', gateway: '255.255.255.255' }],
  [{ cidr: '10.20.0.7/32', gateway: '10.20.0.7' }],
  [{ cidr, gateway: '10.20.0.255', ranges: [{ start: '10.20.0.0', end: '10.20.0.255' }], reserved: ['10.20.0.9'] }],
])('a subnet that can be: %j', (ipv4) => expect(mistakes(ipv4)).toEqual([]));

test.each([
  [{ cidr: '10.20.0.1/24' }, ['spec.ipv4.cidr 10.20.0.1/24 has bits set behind its prefix; write 10.20.0.0/24']],
  [
    { cidr: '255.255.255.255/1' },
    ['spec.ipv4.cidr 255.255.255.255/1 has bits set behind its prefix; write 128.0.0.0/1'],
  ],
  [{ cidr, gateway: '10.20.1.0' }, ['spec.ipv4.gateway 10.20.1.0 is not in spec.ipv4.cidr 10.20.0.0/24']],
  [
    { cidr, reserved: ['10.19.255.255'] },
    ['spec.ipv4.reserved[0] 10.19.255.255 is not in spec.ipv4.cidr 10.20.0.0/24'],
  ],
  [
    { cidr, ranges: [{ start: '10.20.0.9', end: '10.20.0.8' }] },
    ['spec.ipv4.ranges[0] starts at 10.20.0.9, after its end 10.20.0.8'],
  ],
  [
    { cidr, ranges: [{ start: '10.19.0.0', end: '10.21.0.0' }] },
    [
      'spec.ipv4.ranges[0].start 10.19.0.0 is not in spec.ipv4.cidr 10.20.0.0/24',
      'spec.ipv4.ranges[0].end 10.21.0.0 is not in spec.ipv4.cidr 10.20.0.0/24',
    ],
  ],
])('a subnet that can never be: %j', (ipv4, said) => expect(mistakes(ipv4)).toEqual(said));

test('what is no address is said of its format alone', () => {
  for (const wrong of [{ cidr: 'x' }, { cidr: '999.0.0.0/99', gateway: '10.20.0.1' }, { cidr, gateway: 'x' }])
    expect(mistakes(wrong)).toHaveLength(1);
});

test('what was stored before the rule was made can be changed elsewhere, and made no worse', () => {
  const stored = { cidr, gateway: '10.21.0.1' };
  expect(mistakes({ ...stored, reserved: ['10.20.0.9'] }, stored)).toEqual([]);
  expect(mistakes({ ...stored, gateway: '10.22.0.1' }, stored)).toHaveLength(1);
  expect(mistakes({ ...stored, reserved: ['10.21.0.9'] }, stored)).toHaveLength(1);
});
