import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { issueServing, makeAuthority } from '@plumb/reconciler/pki/certificates.ts';
import { FakeClock } from '@plumb/reconciler/runtime/fake-clock.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ApiClient, ApiError } from './client.ts';

type Answer = { status: number; headers?: Record<string, string>; body?: unknown };

let stop = () => {};
afterEach(() => stop());

/** A server that gives the answers one after the other, and the last one for ever. */
async function serve(...answers: Answer[]) {
  const seen: http2.IncomingHttpHeaders[] = [];
  const server = http2.createServer((request, response) => {
    const { status, headers, body } = answers[Math.min(seen.length, answers.length - 1)]!;
    seen.push(request.headers);
    response.writeHead(status, headers);
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new FakeClock();
  const access = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authority: undefined,
    token: 't',
  };
  const client = new ApiClient(access, clock);
  stop = () => {
    client.close();
    server.close();
  };
  return { client, clock, seen };
}

const busy = (seconds: number) => ({
  status: 429,
  headers: { 'retry-after': String(seconds) },
  body: { kind: 'Status', reason: 'TooManyRequests', message: 'the server is busy' },
});

describe('a server that is busy', () => {
  test('is asked again when it said', async () => {
    const { client, clock, seen } = await serve(busy(3), { status: 201, body: { kind: 'Zone' } });
    const answer = client.send('POST', '/zones', { body: { kind: 'Zone' } });
    await expect.poll(() => seen.length).toBe(1);
    await expect.poll(() => clock.nextIn).toBe(3000);
    await clock.advance(2999);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    expect(await answer).toEqual({ kind: 'Zone' });
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatchObject({ 'content-length': '15', 'user-agent': 'plumb' });
  });

  test('is not asked for ever', async () => {
    const { client, clock, seen } = await serve(busy(10));
    const failed = client.send('GET', '/zones').catch((error: unknown) => error);
    for (let i = 1; i <= 31; i++) {
      await expect.poll(() => seen.length).toBe(i);
      if (i < 31) await expect.poll(() => clock.nextIn).toBe(10_000);
      await clock.advance(10_000);
    }
    expect(await failed).toMatchObject({ status: 429, reason: 'TooManyRequests', retry: 'retry' });
  });

  test('tells a watch when to begin again', async () => {
    const { client } = await serve(busy(7));
    const events = client.watch('/zones?watch=true', new AbortController().signal);
    const error = await events.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).retryAfterMs).toBe(7000);
  });
});

test('a server of an unknown authority is not believed, whatever the environment says of certificates', async () => {
  const [made, other] = await Promise.all([makeAuthority(Date.now(), 1), makeAuthority(Date.now(), 1)]);
  const server = http2.createSecureServer(
    await issueServing(made, ['127.0.0.1'], Date.now(), 1).then(({ certificate, key }) => ({ cert: certificate, key })),
    (_, response) => response.end('{}'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const ask = async (authority: string | undefined) => {
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const access = { server: url, authority, token: 't' };
    const client = new ApiClient(access, new FakeClock());
    try {
      return await client.ask('GET', '/');
    } finally {
      client.close();
    }
  };
  try {
    await expect(ask(undefined)).rejects.toMatchObject({ reason: 'Untrusted' });
    await expect(ask(other.certificate)).rejects.toMatchObject({ reason: 'Untrusted' });
    await expect(ask(made.certificate)).resolves.toMatchObject({ status: 200 });
  } finally {
    vi.unstubAllEnvs();
    server.close();
  }
});
