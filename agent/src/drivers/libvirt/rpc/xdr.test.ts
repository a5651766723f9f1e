import fc from 'fast-check';
import { expect, test } from 'vitest';
import { XdrReader, XdrWriter } from './xdr.ts';

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.string({ unit: 'grapheme' }),
      fc.option(fc.string(), { nil: undefined }),
      (int, hyper, text, optional) => {
        const bytes = new XdrWriter().int(int).uhyper(hyper).string(text).optionalString(optional).uint(7).finish();
        expect(bytes.length % 4).toBe(0);
        const reader = new XdrReader(bytes);
        expect([reader.int(), reader.uhyper(), reader.string(), reader.optionalString(), reader.uint()]).toEqual([
          int,
          hyper,
          text,
          optional,
          7,
        ]);
      },
    ),
  );
});

test('a string is its length, its bytes, and zeros up to four (RFC 4506, section 4.11)', () => {
  expect(new XdrWriter().string('hello').finish().toString('hex')).toBe('0000000568656c6c6f000000');
});

test('data that ends too early is an error, not a guess', () => {
  const bytes = new XdrWriter().string('hello').finish();
  expect(() => new XdrReader(bytes.subarray(0, 8)).string()).toThrow(RangeError);
  const endless = new XdrReader(new XdrWriter().uint(2 ** 31).finish());
  expect(() => endless.array(() => 1)).toThrow(RangeError);
});
