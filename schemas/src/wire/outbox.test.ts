import { expect, test } from 'vitest';
import type { AgentMessage } from './messages.ts';
import { FRAME_BYTES, Outbox } from './outbox.ts';

class Recorded {
  frames: number[][] = [];
  room = Number.POSITIVE_INFINITY;
  #drain: (() => void) | undefined;

  write({ messages }: { messages: AgentMessage[] }): boolean {
    this.frames.push(messages.map((message) => (message.body === 'heartbeat' ? message.heartbeat.sequence : -1)));
    return this.frames.length < this.room;
  }
  once(_: 'drain', listener: () => void): void {
    this.#drain = listener;
  }
  drain(): void {
    this.room = Number.POSITIVE_INFINITY;
    this.#drain?.();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const beat = (sequence: number): AgentMessage => ({ host: '', body: 'heartbeat', heartbeat: { sequence } });
const large = (): AgentMessage => ({
  host: 'a',
  body: 'changes',
  changes: {
    changed: [{ resource: { kind: 'seed', id: 'i', owner: 'o', spec: 'x'.repeat(FRAME_BYTES * 0.6) }, drift: [] }],
    removed: [],
  },
});

test('what is ready in one turn goes in one frame', async () => {
  const stream = new Recorded();
  const outbox = new Outbox(stream);
  outbox.push(beat(1));
  outbox.push(beat(2));
  expect(stream.frames).toEqual([]);
  await turn();
  outbox.push(beat(3));
  await turn();
  expect(stream.frames).toEqual([[1, 2], [3]]);
});

test('frames are bounded, and a message that is too large goes alone', async () => {
  const stream = new Recorded();
  const outbox = new Outbox(stream);
  for (const message of [beat(1), large(), large(), beat(2)]) outbox.push(message);
  await turn();
  expect(stream.frames).toEqual([
    [1, -1],
    [-1, 2],
  ]);
  for (let n = 0; n < 5000; n++) outbox.push(beat(n));
  await turn();
  expect(stream.frames.slice(2).map((frame) => frame.length)).toEqual([1024, 1024, 1024, 1024, 904]);
});

test('nothing is written to a full stream before it drains, and the order stays', async () => {
  const stream = new Recorded();
  stream.room = 1;
  const outbox = new Outbox(stream);
  outbox.push(beat(1));
  await turn();
  for (const n of [2, 3]) {
    outbox.push(beat(n));
    await turn();
  }
  expect(stream.frames).toEqual([[1]]);
  stream.drain();
  expect(stream.frames).toEqual([[1], [2, 3]]);
  outbox.push(beat(4));
  await turn();
  expect(stream.frames).toEqual([[1], [2, 3], [4]]);
});

test('closing sends the rest at once, dropping sends nothing', async () => {
  const closed = new Recorded();
  const closing = new Outbox(closed);
  closing.push(beat(1));
  closing.close();
  closing.push(beat(2));
  expect(closed.frames).toEqual([[1]]);
  const dropped = new Recorded();
  const dropping = new Outbox(dropped);
  dropping.push(beat(1));
  dropping.drop();
  await turn();
  expect(dropped.frames).toEqual([]);
});

test('changes of a host that follow each other go as one message, and nothing overtakes its result', async () => {
  const sent: AgentMessage[] = [];
  const outbox = new Outbox<AgentMessage>({
    write: ({ messages }) => {
      sent.push(...messages);
      return true;
    },
    once: () => {},
  });
  const live = (id: string) => ({ resource: { kind: 'disk', id, owner: 'o', spec: '{}' }, drift: [], domain: null });
  const changed = (host: string, id: string): AgentMessage => ({
    ...{ host, body: 'changes' },
    changes: { changed: [live(id)], removed: [] },
  });
  const removed = (host: string, id: string): AgentMessage => ({
    ...{ host, body: 'changes' },
    changes: { changed: [], removed: [{ kind: 'disk', id }] },
  });
  const result = (host: string): AgentMessage => ({
    ...{ host, body: 'result' },
    result: { command: 'c', steps: [], refused: null },
  });
  const first = changed('a', '1');
  for (const message of [
    first,
    changed('b', '1'),
    changed('a', '2'),
    removed('a', '1'),
    changed('a', '1'),
    result('a'),
  ])
    outbox.push(message);
  for (const message of [changed('a', '3'), changed('b', '2'), result('b')]) outbox.push(message);
  await turn();
  outbox.push(changed('b', '3'));
  await turn();
  const told = sent.map((message) =>
    message.body === 'changes'
      ? [
          message.host,
          ...message.changes.changed.map(({ resource }) => `+${resource?.id}`),
          ...message.changes.removed.map(({ id }) => `-${id}`),
        ].join(' ')
      : `${message.host} ${message.body}`,
  );
  expect(told).toEqual(['a +1 +2 -1', 'b +1 +2', 'a +1', 'a result', 'a +3', 'b result', 'b +3']);
});

test('who waits for room goes on when the stream has drained, or is gone', async () => {
  const stream = new Recorded();
  stream.room = 1;
  const outbox = new Outbox(stream);
  let rooms = 0;
  const wait = () => void outbox.room().then(() => rooms++);
  wait();
  await turn();
  expect(rooms).toBe(1);
  outbox.push(beat(1));
  wait();
  wait();
  await turn();
  await turn();
  expect(rooms).toBe(1);
  stream.drain();
  await turn();
  expect(rooms).toBe(3);
  stream.room = 1;
  outbox.push(beat(2));
  wait();
  await turn();
  await turn();
  expect(rooms).toBe(3);
  outbox.drop();
  await turn();
  expect(rooms).toBe(4);
});
