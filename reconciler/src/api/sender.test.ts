import { EventEmitter } from 'node:events';
import type { Http2ServerResponse } from 'node:http2';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, test } from 'vitest';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import type { Reply } from './reply.ts';
import { Sender } from './sender.ts';

/** As Node's of HTTP/1.1 at its worst: it says that it has enough, never that it has room again. */
class FullResponse extends EventEmitter {
  readonly pieces: string[] = [];
  ended = false;
  /** Called when the socket has taken the piece. */
  readonly left: (() => void)[] = [];

  writeHead(): void {}

  write(piece: string, _encoding: string, left: () => void): boolean {
    this.pieces.push(piece);
    this.left.push(left);
    return false;
  }

  end(): void {
    this.ended = true;
  }
}

async function* lines(): AsyncGenerator<string> {
  yield 'one\n';
  yield 'two\n';
}

function sending(clock: FakeClock, gone = new AbortController()) {
  const response = new FullResponse();
  const reply: Reply = { status: 200, type: 'text/plain', body: lines() };
  const to = { unsent: 0, cut: () => {} };
  const sent = new Sender(clock, defaultServerLimits).send(
    response as unknown as Http2ServerResponse,
    reply,
    to,
    gone.signal,
  );
  sent.catch(() => {});
  return { response, sent, gone };
}

test('A client that takes everything is sent the rest, although no event says that there is room', async () => {
  const { response, sent } = sending(new FakeClock(0));
  await settle();
  expect(response.pieces).toEqual(['one\n']);
  response.left[0]!();
  await settle();
  expect(response.pieces).toEqual(['one\n', 'two\n']);
  response.left[1]!();
  await sent;
  expect(response.ended).toBe(true);
});

test('A client that takes nothing is given up after a while', async () => {
  const clock = new FakeClock(0);
  const { response, sent } = sending(clock);
  await settle();
  await clock.advance(defaultServerLimits.unsentSeconds * 1000);
  await expect(sent).rejects.toThrow('taken nothing');
  expect(response.ended).toBe(false);
});

test('Nothing is waited for when the client is gone', async () => {
  const { sent, gone } = sending(new FakeClock(0));
  await settle();
  gone.abort(new Error('gone'));
  await expect(sent).rejects.toThrow('gone');
});
