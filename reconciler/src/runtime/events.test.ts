import type { PlumbObject } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { type EventChange, EventRing } from './events.ts';

function ringOf(capacity: number) {
  const ring = new EventRing({ ambient: realAmbient(), capacity });
  const changes: EventChange[] = [];
  ring.onChange((change) => changes.push(change));
  const object = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'z', uid: 'z-uid' }, spec: {} };
  const record = (message: string) =>
    ring.record({ object: object as unknown as PlumbObject, type: 'Normal', reason: 'Told', message });
  return { ring, changes, record, messages: () => ring.list().map(({ message, count }) => `${message} ${count}`) };
}

test('what happens again is counted, and is young again', () => {
  const { ring, changes, record, messages } = ringOf(2);
  record('a');
  record('b');
  record('a');
  expect(messages()).toEqual(['b 1', 'a 2']);
  expect(changes[2]).toMatchObject({ revision: 3, before: { count: 1 }, after: { count: 2 } });
  expect(changes[2]!.before!.uid).toBe(changes[2]!.after!.uid);
  record('c');
  expect(messages()).toEqual(['a 2', 'c 1']);
  expect(changes.slice(3)).toMatchObject([
    { revision: 4, before: undefined, after: { message: 'c', revision: 4 } },
    { revision: 5, before: { message: 'b' }, after: undefined },
  ]);
  expect(ring.revision).toBe(5);
});

test('the oldest goes, however many went before it', () => {
  const { record, messages } = ringOf(3);
  const expected: string[] = [];
  for (let i = 0; i < 1000; i++) {
    record(`${i}`);
    expected.push(`${i} 1`);
    if (expected.length > 3) expected.shift();
    if (i % 3 === 0) {
      const [message, count] = expected.shift()!.split(' ');
      record(message!);
      expected.push(`${message} ${Number(count) + 1}`);
    }
  }
  expect(messages()).toEqual(expected);
});
