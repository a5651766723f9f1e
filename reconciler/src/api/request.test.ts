import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { ApiRequest } from './request.ts';

function posted(body: Readable): ApiRequest {
  const headers: IncomingHttpHeaders = { 'content-type': 'application/json' };
  const incoming = Object.assign(body, { method: 'POST', url: '/', headers });
  const origin = { source: { address: '127.0.0.1' }, clock: realAmbient().clock };
  return new ApiRequest(incoming, new AbortController().signal, origin);
}

test('a body is read whole, however it is cut', async () => {
  expect(await posted(Readable.from([Buffer.from('{"a"'), Buffer.from(':1}')])).json()).toEqual({ a: 1 });
});

test('a client that went while its request waited is not waited for', async () => {
  const body = new Readable({ read() {} });
  body.destroy();
  await once(body, 'close');
  await expect(posted(body).json()).rejects.toThrow('the client went');
});

test('a client that goes within a body is told apart from one that goes after it', async () => {
  const cut = new Readable({ read() {} });
  const broken = posted(cut).json();
  cut.push('{"a"');
  cut.destroy();
  await expect(broken).rejects.toThrow('the client went');
  const whole = new Readable({ read() {} });
  const read = posted(whole).json();
  whole.push('{"a":1}');
  whole.push(null);
  expect(await read).toEqual({ a: 1 });
  whole.destroy();
});
