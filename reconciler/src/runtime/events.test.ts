import type { PlumbObject } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { type EventChange, EventRing, type RecordedEvent } from './events.ts';
import { FakeClock } from './fake-clock.ts';

function ringOf(capacity: number) {
  const ring = new EventRing({ ambient: realAmbient(), capacity });
  const changes: EventChange[] = [];
  ring.onChange((change) => changes.push(change));
  const object = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'z', uid: 'z-uid' }, spec: {} };
  const record = (message: string) =>
    ring.record({ object: object as unknown as PlumbObject, type: 'Normal', reason: 'Told', message });
  return {
    ring,
    changes,
    record,
    messages: () => (ring.list() as RecordedEvent[]).map(({ message, count }) => `${message} ${count}`),
  };
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

const DAY = 86_400_000;

function timed(postedBytes: number) {
  const clock = new FakeClock(1_700_000_000_000);
  const ring = new EventRing({ ambient: { ...realAmbient(), clock }, postedBytes });
  const object = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'z', uid: 'z-uid' }, spec: {} };
  const record = (message: string) =>
    ring.record({ object: object as unknown as PlumbObject, type: 'Normal', reason: 'Told', message });
  const post = (namespace: string, name: string, bytes = 100) =>
    ring.post({ uid: `${namespace}-${name}`, namespace, name, text: 'x'.repeat(bytes) }, undefined);
  const names = () => ring.list().map(({ namespace, name }) => `${namespace}/${name}`);
  return { clock, ring, record, post, names };
}

test('events grow old, those of the server and those of clients, and what happens again does not', async () => {
  const { clock, ring, record, post } = timed(1 << 20);
  record('once');
  record('again');
  post('a', 'posted');
  await clock.advance(DAY / 2);
  record('again');
  post('a', 'later');
  await clock.advance(DAY / 2 + 1000);
  const gone: EventChange[] = [];
  ring.onChange((change) => gone.push(change));
  ring.expire();
  expect(gone.map(({ after }) => after)).toEqual([undefined, undefined]);
  expect(ring.list()).toMatchObject([{ message: 'again', count: 2 }, { name: 'later' }]);
  await clock.advance(DAY);
  ring.expire();
  expect(ring.list()).toEqual([]);
  record('new');
  await clock.advance(DAY + 1000);
  ring.expire();
  expect(ring.list()).toEqual([]);
});

test('who posts too much loses its own oldest, and no other', () => {
  const { ring, record, post, names } = timed(10_000);
  record('ours');
  post('quiet', 'one');
  for (let i = 0; i < 100; i++) post('loud', `e${i}`, 500);
  expect(names()).toContain('quiet/one');
  expect(ring.list()).toContainEqual(expect.objectContaining({ message: 'ours' }));
  expect(names()).toContain('loud/e99');
  expect(names().length).toBeLessThan(12);
  post('loud', 'huge', 1 << 20);
  expect(names()).not.toContain('loud/huge');
  expect(names()).toContain('quiet/one');
});
