import { expect, test } from 'vitest';
import { Holdings } from './holdings.ts';

function fill(holdings: Holdings, path: string[]): (() => void)[] {
  const held: (() => void)[] = [];
  for (let give = holdings.take(path); give; give = holdings.take(path)) held.push(give);
  return held;
}

test('who takes all it can leaves some to everybody else', () => {
  const holdings = new Holdings(800);
  expect(fill(holdings, ['user', '10.0.0.1', 'hungry'])).toHaveLength(100);
  expect(fill(holdings, ['user', '10.0.0.1', 'another'])).not.toHaveLength(0);
  expect(fill(holdings, ['user', '10.0.0.2', 'hungry'])).not.toHaveLength(0);
  expect(fill(holdings, ['somebody else', '10.0.0.1', 'hungry'])).not.toHaveLength(0);
});

test('never more than the limit, and all of it comes back', () => {
  const holdings = new Holdings(64);
  const held = Array.from({ length: 100 }, (_, i) => holdings.take([`user ${i}`, 'a', 'p'])).filter((give) => !!give);
  expect(held.length).toBe(64);
  for (const give of held) {
    give();
    give();
  }
  expect(holdings.held).toBe(0);
  expect(holdings.take(['user 0', 'a', 'p'])).toBeDefined();
});
