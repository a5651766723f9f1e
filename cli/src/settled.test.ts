import type { PlumbObject } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';
import { settled } from './settled.ts';
import { renderTable } from './table.ts';

const condition = (type: string, status: string, observedGeneration?: number) => ({
  type,
  status,
  reason: 'Because',
  message: 'so it is',
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...(observedGeneration === undefined ? {} : { observedGeneration }),
});

const object = (conditions: object[], observedGeneration = 2) =>
  ({ metadata: { generation: 2 }, status: { observedGeneration, conditions } }) as unknown as PlumbObject;

test.each([
  ['ready', object([condition('Ready', 'True')])],
  ['waiting', object([condition('Ready', 'False')])],
  ['waiting', object([condition('Ready', 'True', 1)])],
  ['waiting', object([condition('Ready', 'True')], 1)],
  ['failed', object([condition('Ready', 'False'), condition('Stalled', 'True')])],
  ['waiting', object([condition('Ready', 'False'), condition('Stalled', 'True', 1)])],
  ['waiting', object([condition('Ready', 'False'), condition('Stalled', 'False')])],
  ['waiting', { metadata: { generation: 1 } } as PlumbObject],
])('%s', (state, of) => {
  expect(settled(of).state).toBe(state);
});

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
