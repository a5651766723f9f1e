import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRequested, firstFree, lastFree, parseSubnet, toAddress, toInteger } from './addressing.ts';

const lab = { cidr: '10.20.0.0/24', gateway: '10.20.0.1', ranges: [{ start: '10.20.0.10', end: '10.20.0.12' }] };

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
    for (const expected of ['10.20.0.10', '10.20.0.11', '10.20.0.12']) {
      const value = firstFree(subnet, (a) => taken.has(a))!;
      expect(toAddress(value)).toBe(expected);
      taken.add(expected);
    }
    expect(firstFree(subnet, (a) => taken.has(a))).toBeUndefined();
    expect(lastFree(subnet, (a) => taken.has(a))).toBeUndefined();
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
      fc.property(
        fc.integer({ min: 20, max: 30 }),
        fc.uniqueArray(fc.nat(4095)),
        fc.nat(4095),
        (prefix, takenOffsets, from) => {
          const first = toInteger('10.0.0.0');
          const subnet = parseSubnet('p/n', { cidr: `10.0.0.0/${prefix}`, gateway: '10.0.0.1' });
          const taken = new Set(takenOffsets.map((o) => toAddress(first + o)));
          const isTaken = (a: string) => taken.has(a);
          for (const value of [firstFree(subnet, isTaken, first + from), lastFree(subnet, isTaken)]) {
            if (value === undefined) continue;
            expect(value).toBeGreaterThan(first + 1);
            expect(value).toBeLessThan(subnet.last);
            expect(taken.has(toAddress(value))).toBe(false);
          }
        },
      ),
    );
  });
});
