import { expect, test } from 'vitest';
import { copyOf } from './json-copy.ts';

test('a copy has what was read, and shares nothing with it', () => {
  const read = JSON.parse('{"a":[1,{"b":null,"c":"x"}],"__proto__":{"d":true},"e":{}}');
  const copy = copyOf(read) as typeof read;
  expect(JSON.stringify(copy)).toBe(JSON.stringify(read));
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  copy.a[1].b = 1;
  copy.e.f = 1;
  expect(JSON.stringify(read)).toBe('{"a":[1,{"b":null,"c":"x"}],"__proto__":{"d":true},"e":{}}');
});
