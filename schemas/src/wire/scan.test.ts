import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agentFrame, agentFrameReader, type FrameBounds } from './codec.ts';
import type { AgentMessage } from './messages.ts';
import { Undecodable } from './scan.ts';

const bounds: FrameBounds = {
  messages: 100,
  lists: {
    'Snapshot.resources': { most: 50, limit: 'resourcesPerMessage' },
    'Changes.removed': { most: 50, limit: 'resourcesPerMessage' },
    'LiveResource.drift': { most: 3, limit: 'driftPerResource' },
  },
  texts: {
    'HostResource.spec': { most: 1000, limit: 'resourceBytes' },
    'AgentMessage.host': { most: 63, limit: 'nameBytes' },
  },
};
const read = agentFrameReader(bounds);

/** A field of bytes: its tag, its length, itself. */
function field(id: number, ...content: (Uint8Array | Buffer)[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([varint((id << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

const text = (id: number, value: string) => field(id, Buffer.from(value));
const resource = (drift = 0, spec = '{}'): Buffer =>
  field(
    1,
    field(1, text(1, 'bridge'), text(2, 'b'), text(3, 'b'), text(4, spec)),
    ...Array(drift).fill(text(2, 'odd')),
  );
const snapshot = (host: string, ...resources: Buffer[]): Buffer => field(1, text(1, host), field(3, ...resources));

test('what is within the bounds is what the codec says', () => {
  const messages: AgentMessage[] = [
    { host: 'a', body: 'heartbeat', heartbeat: { sequence: 2 ** 50 } },
    { host: 'b', body: 'changes', changes: { changed: [], removed: [{ kind: 'port', id: 'p' }] } },
    { host: 'c', body: 'detach', detach: {} },
  ];
  expect(read(agentFrame.encode({ messages }))).toEqual(messages);
});

test('a message beyond a bound is not decoded, its host is named, and those of others are', () => {
  const bytes = Buffer.concat([
    snapshot('bad', ...Array(51).fill(resource())),
    snapshot('long', resource(0, 'x'.repeat(1001))),
    snapshot('odd', resource(4)),
    snapshot('good', resource(3)),
  ]);
  const [bad, long, odd, good] = read(bytes);
  expect(bad).toEqual({
    host: 'bad',
    body: 'broken',
    problem: 'resources has more than 50 elements (resourcesPerMessage)',
  });
  expect(long).toMatchObject({ host: 'long', problem: 'spec has more than 1000 bytes (resourceBytes)' });
  expect(odd).toMatchObject({ host: 'odd', problem: 'drift has more than 3 elements (driftPerResource)' });
  expect(good).toMatchObject({
    host: 'good',
    body: 'snapshot',
    snapshot: { resources: [{ drift: ['odd', 'odd', 'odd'] }] },
  });
});

test('a million empty resources in two megabytes make no million objects', () => {
  const before = process.memoryUsage().heapUsed;
  const empty = Buffer.alloc(2 << 20, Buffer.from([0x0a, 0x00]));
  expect(read(snapshot('bad', empty))).toMatchObject([{ host: 'bad', body: 'broken' }]);
  expect(() => read(empty)).toThrow(Undecodable);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 << 20);
});

test.each([
  ['more messages than a frame may hold', Buffer.concat(Array(101).fill(field(1)))],
  ['a number in the place of a message', Buffer.from([0x08, 0x01])],
  ['a group', Buffer.from([0x0b, 0x0c])],
  ['a host that is a number', field(1, Buffer.from([0x08, 0x01]))],
  ['a host that is said twice', field(1, text(1, 'a'), text(1, 'b'))],
  ['a hundred fields that nobody knows', field(1, ...Array(100).fill(text(99, '')))],
  ['half a message', snapshot('a', resource()).subarray(0, 9)],
  ['a number without an end', Buffer.alloc(20, 0xff)],
])('%s cannot be decoded', (_, bytes) => {
  expect(() => read(bytes)).toThrow(Undecodable);
});

test('a name that is longer than any is cut where the host is told', () => {
  const [message] = read(snapshot('x'.repeat(5000), resource()));
  expect(message).toMatchObject({ body: 'broken', host: 'x'.repeat(253) });
});

test('a newer peer may say what is not known here', () => {
  expect(read(field(1, text(1, 'a'), text(15, 'new')))).toMatchObject([{ host: 'a' }]);
});

test('any bytes are messages or no frame, whatever was done to them', () => {
  const whole = Buffer.concat([
    snapshot('a', resource(2), resource()),
    snapshot('b', resource(4)),
    field(1, text(1, 'c'), field(6)),
  ]);
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.nat(whole.length) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(whole);
      for (const { at, byte } of changes) bytes[at] = byte;
      const some = bytes.subarray(0, changes[0]?.cut ?? whole.length);
      try {
        for (const message of read(some)) expect(typeof message.host).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(Undecodable);
      }
    }),
    { numRuns: 2000, seed: 9 },
  );
});
