import { expect, test } from 'vitest';
import { MemoryFences } from './fences.ts';

test('a fence counts within its term and its owner', () => {
  const fences = new MemoryFences();
  expect(fences.admit('a', 1, 10)).toBe(true);
  expect(fences.admit('a', 1, 10)).toBe(true);
  expect(fences.admit('a', 1, 9)).toBe(false);
  expect(fences.admit('b', 1, 1)).toBe(true);
  expect(fences.admit('a', 2, 3)).toBe(true);
  expect(fences.admit('a', 1, 99)).toBe(false);
  expect(fences.admit('a', 2, 2)).toBe(false);
});

test('what was admitted is current until a later turn or term of its owner is', () => {
  const fences = new MemoryFences();
  fences.admit('a', 1, 10);
  fences.admit('b', 1, 10);
  expect(fences.isCurrent('a', 1, 10)).toBe(true);
  fences.admit('a', 1, 11);
  expect(fences.isCurrent('a', 1, 10)).toBe(false);
  fences.admit('a', 2, 1);
  expect(fences.isCurrent('a', 1, 11)).toBe(false);
  expect(fences.isCurrent('a', 2, 1)).toBe(true);
  expect(fences.isCurrent('b', 1, 10)).toBe(true);
});

test('the longest unheard owner is forgotten first', () => {
  const fences = new MemoryFences();
  fences.admit('first', 1, 10);
  fences.admit('kept', 1, 10);
  for (let n = 0; n < 65_534; n++) fences.admit(`o${n}`, 1, 1);
  fences.admit('kept', 1, 10);
  fences.admit('one more', 1, 1);
  expect(fences.admit('kept', 1, 9)).toBe(false);
  expect(fences.admit('first', 1, 9)).toBe(true);
});
