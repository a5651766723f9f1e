import { expect, test } from 'vitest';
import { readUse, writeUse } from './host-use.ts';

test('a record of the version before is read, and written as it was', () => {
  const before = '{"cpus":4,"memoryMiB":512,"instances":2}';
  expect(readUse(before)).toEqual({ use: [4, 512, 2], others: undefined });
  expect(writeUse([4, 512, 2], undefined)).toBe(before);
});

test('what it says of amounts that are not known here stays', () => {
  const { use, others } = readUse('{"cpus":4,"memoryMiB":512,"instances":2,"gpus":1}')!;
  expect(use).toEqual([4, 512, 2]);
  expect(writeUse([5, 512, 3], others)).toBe('{"cpus":5,"memoryMiB":512,"instances":3,"gpus":1}');
});

test('what is no such record is not taken for one', () => {
  for (const wrong of ['', '[]', 'null', '{}', '{"cpus":-1,"memoryMiB":1,"instances":1}', '{"cpus":1,"memoryMiB":1}'])
    expect(readUse(wrong)).toBeUndefined();
});
