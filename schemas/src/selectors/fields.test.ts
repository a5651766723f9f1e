import { expect, test } from 'vitest';
import { fieldRequirements } from './fields.ts';

test.each([
  ['', []],
  [',,', []],
  ['metadata.name=a', [{ field: 'metadata.name', equal: true, value: 'a' }]],
  ['metadata.name==a', [{ field: 'metadata.name', equal: true, value: 'a' }]],
  [
    'metadata.name!=a,x=',
    [
      { field: 'metadata.name', equal: false, value: 'a' },
      { field: 'x', equal: true, value: '' },
    ],
  ],
  ['x=a\\,b\\=c\\\\', [{ field: 'x', equal: true, value: 'a,b=c\\' }]],
  ['a!b=c', [{ field: 'a!b', equal: true, value: 'c' }]],
])('%j', (text, expected) => {
  expect(fieldRequirements(text)).toEqual(expected);
});

test.each(['x', 'a,b=c', 'x=a=b', 'x=\\a', 'x=a\\', '!', 'a!b'])('%j is refused', (text) => {
  expect(() => fieldRequirements(text)).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
});

test('time is linear in the text', () => {
  for (const part of ['!', ' ', ',', '=', 'a', '\\', '!a', 'a=b,', '\\,']) {
    const before = process.threadCpuUsage().user;
    try {
      fieldRequirements(`${part.repeat(400_000)} x`);
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(1_000);
    }
    expect(process.threadCpuUsage().user - before).toBeLessThan(1_500_000);
  }
});
