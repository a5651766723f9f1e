import { describe, expect, test } from 'vitest';
import { addressText, carriedAddresses, contains, parseAddress, parseBlock } from './address.ts';

const text = (address: string) => addressText(parseAddress(address)!);

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::ffff:7f00:1', '127.0.0.1'],
  ['0:0:0:0:0:ffff:10.1.2.3', '10.1.2.3'],
  ['::', '0:0:0:0:0:0:0:0'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['2001:db8::8:800:200c:417a', '2001:db8:0:0:8:800:200c:417a'],
  ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
  ['64:ff9b::192.0.2.33', '64:ff9b:0:0:0:0:c000:221'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
])('%s is %s', (written, canonical) => {
  expect(text(written)).toBe(canonical);
});

test.each(['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4/8', '::1::', 'g::', '[::1]'])(
  '%j is no address',
  (written) => {
    expect(parseAddress(written)).toBeUndefined();
  },
);

describe('blocks', () => {
  test.each([
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.9.9.9/8', '10.1.1.1', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::ffff:10.0.0.0/104', '10.3.3.3', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::1', '::1', true],
    ['127.0.0.0/8', '::ffff:127.9.9.9', true],
  ])('%s contains %s: %s', (block, address, expected) => {
    expect(contains(parseBlock(block)!, parseAddress(address)!)).toBe(expected);
  });

  test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '::/129', '::ffff:10.0.0.0/90', 'x/8', '10.0.0.0/8/8', ''])(
    '%j is none',
    (block) => {
      expect(parseBlock(block)).toBeUndefined();
    },
  );
});

test.each([
  ['64:ff9b::7f00:1', ['127.0.0.1']],
  ['64:ff9b:1::7f00:1', ['127.0.0.1']],
  ['2002:7f00:1::', ['127.0.0.1']],
  ['2002:a9fe:a9fe::1', ['169.254.169.254']],
  ['2001:0:7f00:1::f5ff:fffe', ['127.0.0.1', '10.0.0.1']],
  ['2001:db8::5efe:127.0.0.1', ['127.0.0.1']],
  ['2001:db8::200:5efe:127.0.0.1', ['127.0.0.1']],
  ['::127.0.0.1', ['127.0.0.1']],
  ['::ffff:0:127.0.0.1', ['127.0.0.1']],
  ['2001:db8::1', []],
  ['::1', []],
  ['127.0.0.1', []],
])('%s may end at %j', (address, carried) => {
  expect(carriedAddresses(parseAddress(address)!).map(addressText)).toEqual(carried);
});
