import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { notFound } from './failures.ts';
import {
  encodeFrame,
  FRAME,
  type Frame,
  FrameReader,
  failureText,
  MOST_PAYLOAD_BYTES,
  parseFailure,
} from './frames.ts';
import { Incoming } from './incoming.ts';

const frame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  id: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

test('frames are found again, however they are cut on the way', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
      let rest = Buffer.concat(frames.map(({ type, id, payload }) => encodeFrame(type, id, payload)));
      const reader = new FrameReader();
      const found: Frame[] = [];
      for (const cut of [...cuts, rest.length]) {
        for (const { type, id, payload } of reader.read(rest.subarray(0, cut)))
          found.push({ type, id, payload: Buffer.from(payload) });
        rest = rest.subarray(cut);
      }
      for (const { type, id, payload } of reader.read(rest)) found.push({ type, id, payload: Buffer.from(payload) });
      expect(found).toEqual(frames);
    }),
    { numRuns: 200 },
  );
});

test('a frame that is too long ends the reading before it is kept', () => {
  const header = encodeFrame(FRAME.data, 1);
  header.writeUInt32BE(MOST_PAYLOAD_BYTES + 1, 5);
  expect(() => [...new FrameReader().read(header)]).toThrow(/a frame of 262145 bytes/);
});

describe('a failure that the fetcher tells', () => {
  test('is the same at the agent', () => {
    const error = notFound('https://example.org/a', 'the server answered 404');
    expect(parseFailure(failureText(error))).toEqual(error);
  });

  test('is bounded and printable', () => {
    const said = parseFailure(
      Buffer.from(JSON.stringify({ reason: 'ImageNotFound', message: `\u001b[2J${'x'.repeat(9000)}`, retry: 'retry' })),
    );
    expect(said?.message.length).toBeLessThan(1100);
    expect(said?.message).not.toContain('\u001b');
  });

  test.each(['', 'null', '{}', '[]', '{"reason":"Internal","message":"x","retry":"retry"}', '\xff', '{"reason":'])(
    '%j is none',
    (text) => {
      expect(parseFailure(Buffer.from(text, 'latin1'))).toBeUndefined();
    },
  );
});

describe('at the agent', () => {
  const nothing = { taken: () => {}, ended: () => {} };
  const never = new AbortController().signal;

  test('more than was asked for is not kept', () => {
    const incoming = new Incoming('https://example.org/a', never, nothing);
    incoming.open('');
    for (let sent = 0; sent < 4; sent++) incoming.take(Buffer.alloc(256 * 1024));
    expect(() => incoming.take(Buffer.alloc(1))).toThrow(/more than it was asked for/);
  });

  test.each(['-1', '1e400', 'x', '1.5', '9007199254740993'])('%j is no size', async (size) => {
    const incoming = new Incoming('https://example.org/a', never, nothing);
    incoming.open(size);
    await expect(incoming.opened).rejects.toMatchObject({ reason: 'ImageUnavailable' });
  });

  test('credit is given for what was read, and the rest comes before the end', async () => {
    const taken: number[] = [];
    const ended: boolean[] = [];
    const incoming = new Incoming('https://example.org/a', never, {
      taken: (bytes) => taken.push(bytes),
      ended: (complete) => ended.push(complete),
    });
    incoming.open('6');
    incoming.take(Buffer.from('abc'));
    const { bytes, chunks, close } = await incoming.opened;
    const iterator = chunks[Symbol.asyncIterator]();
    await iterator.next();
    expect(taken).toEqual([]);
    incoming.take(Buffer.from('def'));
    expect(await iterator.next()).toMatchObject({ value: Buffer.from('def') });
    expect(taken).toEqual([3]);
    incoming.take(Buffer.from('!'));
    incoming.end();
    expect(await iterator.next()).toMatchObject({ value: Buffer.from('!') });
    expect(await iterator.next()).toMatchObject({ done: true });
    close();
    expect({ bytes, ended }).toEqual({ bytes: 6, ended: [true] });
  });
});
