import { expect, test } from 'vitest';
import { growth, parseScrape } from './scrape.ts';

test('series are read, with their labels and with these summed away', () => {
  const scrape = parseScrape(
    '# HELP a_total Help.\n# TYPE a_total counter\na_total{verb="get",path="/x y"} 3\na_total{verb="put"} 4\n\nb 1.5e3\n',
  );
  expect(scrape.get('a_total')).toBe(7);
  expect(scrape.get('a_total{verb="put"}')).toBe(4);
  expect(scrape.get('b')).toBe(1500);
  expect(() => parseScrape('<html>')).toThrow('not a line');
});

test('growth counts from nothing, and says when there is no such series', () => {
  const before = parseScrape('a 1\n');
  const after = parseScrape('a 4\nb 2\n');
  expect(growth(before, after, 'a')).toBe(3);
  expect(growth(before, after, 'b')).toBe(2);
  expect(growth(before, after, 'c')).toBeUndefined();
});
