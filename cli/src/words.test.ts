import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';
import { renderTable } from './table.ts';

test('durations', () => {
  expect(parseDuration('1h30m', '--timeout')).toBe(5_400_000);
  expect(parseDuration('250ms', '--timeout')).toBe(250);
  for (const text of ['', '5', '5 m', 'm', '-5m', '5m!']) {
    expect(() => parseDuration(text, '--timeout')).toThrow(/--timeout must be a duration/);
  }
});

test('tables', () => {
  expect(
    renderTable(
      ['Name', 'CPUs'],
      [
        ['a-long-name', 1],
        ['b', '<none>'],
      ],
    ),
  ).toBe('NAME          CPUS\na-long-name   1\nb             <none>\n');
});
