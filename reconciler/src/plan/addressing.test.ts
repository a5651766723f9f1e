import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { checkRequested, firstFree, lastFree, parseSubnet, toAddress, toInteger } from './addressing.ts';

const lab = { cidr: '10.20.0.0/24', gateway: '10.20.0.1', ranges: [{ start: '10.20.0.10', end: '10.20.0.12' }] };

/** The lowest address that is not in the set. */
const nextOutside = (taken: ReadonlySet<string>) => (from: number) => {
  let value = from;
  while (taken.has(toAddress(value))) value++;
  return value;
};

test('an address and its integer', () => {
  expect(toInteger('10.20.0.1')).toBe(10 * 2 ** 24 + 20 * 2 ** 16 + 1);
  expect(toInteger('255.255.255.255')).toBe(2 ** 32 - 1);
  expect(toInteger('0.0.0.0')).toBe(0);
  expect(toAddress(toInteger('192.168.7.254'))).toBe('192.168.7.254');
  for (const wrong of ['', '1.2.3.', '1.2.3.4.5', '1.2.3.256', 'a.b.c.d', '1..2.3']) {
    expect(() => toInteger(wrong)).toThrow();
  }
});

describe('a subnet', () => {
  it.each([
    ['RangeOutsideCIDR', { ...lab, ranges: [{ start: '10.20.0.250', end: '10.20.1.5' }] }, '10.20.0.250–10.20.1.5'],
    ['InvalidRange', { ...lab, ranges: [{ start: '10.20.0.9', end: '10.20.0.8' }] }, 'after its end'],
    ['GatewayOutsideCIDR', { ...lab, gateway: '10.21.0.1' }, '10.21.0.1'],
    ['InvalidCIDR', { cidr: '10.20.0.7/24' }, 'write 10.20.0.0/24'],
    ['InvalidCIDR', { cidr: '10.20.0.0/40' }, 'is not an IPv4 subnet'],
  ])('refuses %s', (reason, spec, words) => {
    expect(() => parseSubnet('default/lab', spec)).toThrow(expect.objectContaining({ reason, retry: 'terminal' }));
    expect(() => parseSubnet('default/lab', spec)).toThrow(words);
  });

  it('tells everything that is wrong at once', () => {
    const ranges = [
      { start: '10.20.1.0', end: '10.20.1.9' },
      { start: '10.20.0.9', end: '10.20.0.8' },
    ];
    expect(() => parseSubnet('default/lab', { ...lab, gateway: '10.21.0.1', ranges })).toThrow(
      expect.objectContaining({
        reason: 'GatewayOutsideCIDR',
        message:
          'spec.ipv4.gateway 10.21.0.1 is not in spec.ipv4.cidr 10.20.0.0/24; ' +
          'spec.ipv4.ranges[0] 10.20.1.0–10.20.1.9 is not inside spec.ipv4.cidr 10.20.0.0/24; ' +
          'spec.ipv4.ranges[1] starts at 10.20.0.9, after its end 10.20.0.8',
      }),
    );
  });

  it('gives the lowest address that is free, and none when all are taken', () => {
    const subnet = parseSubnet('default/lab', lab);
    const taken = new Set<string>();
    const nextFree = nextOutside(taken);
    expect(toAddress(firstFree(subnet, nextFree, (value) => value === toInteger('10.20.0.10'))!)).toBe('10.20.0.11');
    for (const expected of ['10.20.0.10', '10.20.0.11', '10.20.0.12']) {
      const value = firstFree(subnet, nextFree)!;
      expect(toAddress(value)).toBe(expected);
      taken.add(expected);
    }
    expect(firstFree(subnet, nextFree)).toBeUndefined();
    expect(lastFree(subnet, (a) => taken.has(a))).toBeUndefined();
  });

  it('begins where it is told, and goes on at the lowest when nothing is free from there on', () => {
    const ranges = [
      { start: '10.20.0.10', end: '10.20.0.13' },
      { start: '10.20.0.20', end: '10.20.0.25' },
    ];
    const subnet = parseSubnet('default/lab', { cidr: '10.20.0.0/24', gateway: '10.20.0.22', ranges });
    const from = (begin: number) => {
      const taken = new Set<string>();
      const found: string[] = [];
      for (;;) {
        const value = firstFree(subnet, nextOutside(taken), undefined, begin);
        if (value === undefined) return found.join(' ');
        taken.add(toAddress(value));
        found.push(toAddress(value).slice('10.20.0.'.length));
      }
    };
    expect(from(0)).toBe('10 11 12 13 20 21 23 24 25');
    expect(from(0.25)).toBe('12 13 20 21 23 24 25 10 11');
    expect(from(0.4)).toBe('20 21 23 24 25 10 11 12 13');
    expect(from(0.999)).toBe('25 10 11 12 13 20 21 23 24');
  });

  it('refuses a request for what is not for instances, and allows one outside the ranges', () => {
    const subnet = parseSubnet('default/lab', { ...lab, reserved: ['10.20.0.50'] });
    expect(() => checkRequested(subnet, '10.20.0.1')).toThrow('is the gateway');
    expect(() => checkRequested(subnet, '10.20.0.0')).toThrow('network address');
    expect(() => checkRequested(subnet, '10.20.0.255')).toThrow('broadcast');
    expect(() => checkRequested(subnet, '10.20.0.50')).toThrow('reserved');
    expect(() => checkRequested(subnet, '10.20.1.1')).toThrow('is not in 10.20.0.0/24');
    checkRequested(subnet, '10.20.0.201');
  });

  it('never gives an excluded or taken address, from either end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 30 }), fc.uniqueArray(fc.nat(4095)), (prefix, takenOffsets) => {
        const first = toInteger('10.0.0.0');
        const subnet = parseSubnet('p/n', { cidr: `10.0.0.0/${prefix}`, gateway: '10.0.0.1' });
        const taken = new Set(takenOffsets.map((o) => toAddress(first + o)));
        for (const value of [firstFree(subnet, nextOutside(taken)), lastFree(subnet, (a) => taken.has(a))]) {
          if (value === undefined) continue;
          expect(value).toBeGreaterThan(first + 1);
          expect(value).toBeLessThan(subnet.last);
          expect(taken.has(toAddress(value))).toBe(false);
        }
      }),
    );
  });
});
