import { expect, test } from 'vitest';
import { drawCase } from './picture.ts';
import { lifted, lifting } from './testing.ts';

const rows = [lifted(1, [4, 5, 6], [2, 2, 2], [40, 41, 42]), lifted(100, [70, 80, 96], [20, 30, 24], [45, 50, 55])];
const svg = drawCase(lifting, rows);

/** y of the circles of one colour, from left to right. */
const heights = (colour: string) =>
  [...svg.matchAll(new RegExp(`<circle [^>]*cy="([\\d.]+)" r="[^"]*" fill="${colour}" stroke`, 'g'))].map((m) =>
    Number(m[1]),
  );

test('a case is drawn with its values, its floor, its goal and its axes', () => {
  for (const words of [
    '>all up<',
    '>floor<',
    '>goal: 3 × floor<',
    '>80 ms<',
    'all up, ms, log scale',
    'weights, log scale',
  ])
    expect(svg).toContain(words);
  expect(svg).toContain('commit abc1234');
});

test('more is higher, and the floor lies below', () => {
  const [own, floor] = [heights('#2563eb'), heights('#64748b')];
  expect(own).toHaveLength(2);
  expect(own[0]).toBeGreaterThan(own[1]!);
  expect(floor[0]).toBeGreaterThan(own[0]!);
  expect(floor[1]).toBeGreaterThan(own[1]!);
});

test('it is well-formed XML and nothing of it is outside of the picture', () => {
  expect(svg).toContain('Lifting, again &amp; again');
  expect(svg.match(/&(?!amp;|lt;|gt;|quot;)/)).toBeNull();
  expect(svg).not.toContain('NaN');
  for (const [, x] of svg.matchAll(/ (?:x|x1|x2|cx)="([^"]+)"/g)) expect(Number(x)).toBeLessThanOrEqual(880);
  for (const [, y] of svg.matchAll(/ (?:y|y1|y2|cy)="([^"]+)"/g)) expect(Number(y)).toBeLessThanOrEqual(500);
});

test('the same results are the same picture', () => {
  expect(drawCase(lifting, rows)).toBe(svg);
});
