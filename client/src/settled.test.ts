import type { PlumbObject } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { settled } from './settled.ts';

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

test('what is said of an older generation that is asked for, or of a newer one, counts', () => {
  const old = object([condition('Ready', 'True', 1)]);
  expect(settled(old).state).toBe('waiting');
  expect(settled(old, 1).state).toBe('ready');
  expect(settled(object([condition('Stalled', 'True', 2)]), 1).state).toBe('failed');
});

test('an object of a built-in kind is what it is once it is written', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } } as PlumbObject;
  expect(settled(secret)).toEqual({ state: 'ready' });
});
