import { expect, test } from 'vitest';
import { amounts, CPUS, INSTANCES, lackingOf, MEMORY_MIB, plus, pools } from './claims.ts';

test('what is short is the first of which there is too little; what is only counted never is', () => {
  const has = [8, 1024];
  expect(lackingOf(has, [7, 0], [1, 1024, 1])).toBe(-1);
  expect(lackingOf(has, [8, 1000], [1, 100])).toBe(CPUS);
  expect(lackingOf(has, [1, 1000], [1, 100])).toBe(MEMORY_MIB);
  expect(lackingOf(has, [1, 0, 99], [0, 0, 99])).toBe(-1);
  expect(plus([1, 2], [1, 1, 1], -1)).toEqual([0, 1, -1]);
});

test('a name stands for one number, whoever defines it', () => {
  expect([CPUS, MEMORY_MIB, INSTANCES].map((n) => amounts.all[n]!.name)).toEqual(['cpus', 'memoryMiB', 'instances']);
  expect(() => amounts.define({ name: 'cpus' })).toThrow('defined twice');
  const number = pools.define({ name: 'of a test', ordinal: Number });
  expect(pools.numberOf('of a test')).toBe(number);
  expect(pools.numberOf('of no test')).toBe(-1);
});
