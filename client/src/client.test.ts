import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { FakeClock, fakeRandom } from '@plumb/reconciler/runtime/fake-clock.ts';
import { PlumbError, realAmbient } from '@plumb/schemas';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Client } from './client.ts';
import { ApiError } from './errors.ts';
import { type ClientSettings, clientOf, type Given, serve, type TestServer } from './testing/server.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const end of ends.splice(0)) end();
});

async function servers(...each: Given[][]): Promise<TestServer[]> {
  const made = await Promise.all(each.map((answers) => serve(answers)));
  ends.push(...made.map(({ close }) => close));
  return made;
}

function client(of: readonly { url: string }[], settings: ClientSettings = {}): Client {
  const made = clientOf(of, settings);
  ends.push(() => made.close());
  return made;
}

/** A port on which nobody listens. */
async function nowhere(): Promise<{ url: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { url: `https://127.0.0.1:${port}` };
}

const busy = (seconds: number | string): Given => ({
  status: 429,
  headers: { 'retry-after': String(seconds) },
  body: { kind: 'Status', reason: 'TooManyRequests', message: 'the server is busy' },
});
const status = (code: number, reason: string): Given => ({
  status: code,
  body: { kind: 'Status', code, reason, message: `${reason}, it said` },
});
const never = new AbortController().signal;
const failure = (promise: Promise<unknown>): Promise<PlumbError> =>
  promise.then(
    () => expect.unreachable(),
    (error) => {
      expect(error).toBeInstanceOf(PlumbError);
      return error as PlumbError;
    },
  );
const timeless = () => {
  const clock = new FakeClock();
  return { clock, ambient: { ...realAmbient(), clock, random: fakeRandom(1) } };
};

describe('a server that is busy', () => {
  test('is asked again when it said', async () => {
    const [server] = await servers([busy(3), { status: 201, body: { kind: 'Zone' } }]);
    const { clock, ambient } = timeless();
    const answer = client([server!], { ambient }).send('POST', '/zones', { body: { kind: 'Zone' } });
    await expect.poll(() => server!.seen.length).toBe(1);
    await expect.poll(() => clock.nextIn).toBe(3000);
    await clock.advance(2999);
    expect(server!.seen).toHaveLength(1);
    await clock.advance(1);
    expect(await answer).toEqual({ kind: 'Zone' });
    expect(server!.seen).toHaveLength(2);
    expect(server!.seen[0]!.headers).toMatchObject({ 'content-length': '15', 'user-agent': 'test' });
  });

  test('is not asked for ever', async () => {
    const [server] = await servers([busy(10)]);
    const { clock, ambient } = timeless();
    const failed = failure(client([server!], { ambient }).send('GET', '/zones'));
    for (let i = 1; i <= 31; i++) {
      await expect.poll(() => server!.seen.length).toBe(i);
      if (i < 31) await expect.poll(() => clock.nextIn).toBe(10_000);
      await clock.advance(10_000);
    }
    expect(await failed).toMatchObject({ status: 429, reason: 'TooManyRequests', retry: 'retry' });
  });

  test.each([
    ['seconds', '7', 7000],
    ['a date', 'Thu, 01 Jan 2026 00:00:09 GMT', 9000],
    ['a date that is over', 'Thu, 01 Jan 2025 00:00:00 GMT', 0],
    ['more than anybody waits, which a timer of 32 bits would take for now', '99999999999', 300_000],
    ['less than nothing', '-5', undefined],
    ['no number', 'soon', undefined],
  ])('tells when to come again, and %s is read within bounds', async (_, said, ms) => {
    const [server] = await servers([busy(said)]);
    const { ambient } = timeless();
    const events = client([server!], { ambient }).watch('/zones?watch=true', never);
    const error = await failure(events.next());
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).retryAfterMs).toBe(ms);
  });
});

describe('several servers', () => {
  test('are tried in turn, and the one that answered is asked first from then on', async () => {
    const [one, two] = await servers([{ body: { kind: 'Zone' } }], [{ body: {} }]);
    const asking = client([await nowhere(), one!, two!]);
    expect(await asking.send('POST', '/zones', { body: {} })).toEqual({ kind: 'Zone' });
    await asking.send('GET', '/zones');
    expect([one!.seen.length, two!.seen.length]).toEqual([2, 0]);
  });

  test('of which none is there are all named, and no token', async () => {
    const error = await failure(client([await nowhere(), await nowhere()]).send('GET', '/'));
    expect(error).toMatchObject({ reason: 'Unreachable', retry: 'retry' });
    expect(error.message).toMatch(/^none of https:\S+, https:\S+ can be reached; nothing listens at https:/);
    expect(error.message).not.toContain('hush-hush');
  });

  test('get no request twice by themselves of which perhaps one was carried out', async () => {
    const [one, two] = await servers([{ cut: true }], [{ body: {} }]);
    const error = await failure(client([one!, two!]).send('POST', '/zones', { body: {} }));
    expect(error).toMatchObject({ reason: 'Unreachable', retry: 'retry' });
    expect(two!.seen).toEqual([]);
  });

  test('get the next chance at once to answer what only reads, each one', async () => {
    const [one, two, three] = await servers([{ cut: true }], [status(503, 'Loading')], [{ body: { kind: 'Zone' } }]);
    expect(await client([one!, two!, three!]).send('GET', '/zones/a')).toEqual({ kind: 'Zone' });
    const [four, five] = await servers([{ cut: true }], [status(503, 'Loading')]);
    expect(await failure(client([four!, five!]).send('GET', '/'))).toMatchObject({ reason: 'Loading', status: 503 });
    expect([four!.seen.length, five!.seen.length]).toEqual([1, 1]);
  });

  test('stand in for one another at once in what may be repeated; one that is busy is waited for', async () => {
    const [one, two] = await servers([status(503, 'Loading')], [{ body: { kind: 'Zone' } }]);
    const { clock, ambient } = timeless();
    const asking = client([one!, two!], { ambient });
    const zone = () => asking.persist(() => asking.transport.json({ method: 'GET', path: '/zones/a' }, never), never);
    expect(await zone()).toEqual({ kind: 'Zone' });
    expect(clock.timers).toBe(0);
    const [full, free] = await servers([busy(2), { body: { kind: 'Host' } }], [{ body: {} }]);
    const waiting = client([full!, free!], { ambient });
    const host = waiting.persist(() => waiting.transport.json({ method: 'GET', path: '/hosts/a' }, never), never);
    await expect.poll(() => clock.nextIn).toBe(2100);
    await clock.advance(2100);
    expect(await host).toEqual({ kind: 'Host' });
    expect(free!.seen).toEqual([]);
  });

  test('one that lets nobody in and says nothing is passed over in time', async () => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    ends.push(() => mute.close());
    const [two] = await servers([{ body: { kind: 'Zone' } }]);
    const url = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const sockets: { destroy(): void }[] = [];
    mute.on('connection', (socket) => sockets.push(socket));
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    expect(await client([{ url }, two!], { bounds: { connectMs: 50 } }).send('GET', '/')).toEqual({ kind: 'Zone' });
  });
});

describe('what a server sends', () => {
  test.each(['h2', 'http/1.1'] as const)('is taken up to a size, with %s', async (newest) => {
    const server = await serve([{ body: 'x'.repeat(2000) }, { ...status(500, 'x'.repeat(2000)) }], newest);
    ends.push(server.close);
    const asking = client([server], { bounds: { answerBytes: 1000, failureBytes: 1000 } });
    expect(await failure(asking.send('GET', '/'))).toMatchObject({ reason: 'AnswerTooLarge', retry: 'terminal' });
    const refused = await failure(asking.send('GET', '/'));
    expect(refused).toMatchObject({ reason: 'Unavailable', message: 'the server answered 500 to GET /' });
  });

  test('is waited for up to a time; then the next request goes over another connection', async () => {
    const [server] = await servers([{ silent: true }, { body: { kind: 'Zone' } }]);
    const asking = client([server!], { bounds: { answerMs: 100 } });
    const late = await failure(asking.send('GET', '/'));
    expect(late).toMatchObject({ reason: 'Unreachable', message: expect.stringContaining('no answer within 0.1 s') });
    expect(await asking.send('GET', '/')).toEqual({ kind: 'Zone' });
    expect(server!.connections).toBe(2);
  });

  test('a line of a watch has an end', async () => {
    const [server] = await servers([{ lines: [{ type: 'ADDED', object: 'x'.repeat(2000) }], stays: true }]);
    const events = client([server!], { bounds: { lineLength: 1000 } }).watch('/', never);
    expect(await failure(events.next())).toMatchObject({ reason: 'AnswerTooLarge', retry: 'terminal' });
  });

  test('what is not JSON is a bad answer and is not repeated in what is said', async () => {
    const [server] = await servers([{ body: 'hush-hush {' }]);
    const error = await failure(client([server!]).transport.json({ method: 'GET', path: '/' }, never));
    expect(error).toMatchObject({ reason: 'BadAnswer', retry: 'retry' });
    expect(error.message).not.toContain('hush');
  });
});

test('many requests go over one connection, and one that speaks HTTP/1.1 alone is understood, too', async () => {
  const [server] = await servers([{ body: {} }]);
  const asking = client([server!]);
  await Promise.all(Array.from({ length: 20 }, () => asking.send('GET', '/')));
  expect([server!.seen.length, server!.connections]).toEqual([20, 1]);
  const old = await serve([{ body: { kind: 'Zone' } }], 'http/1.1');
  ends.push(old.close);
  expect(await client([old]).send('GET', '/')).toEqual({ kind: 'Zone' });
});

test('a connection that the server ends is followed by another', async () => {
  const [server] = await servers([{ body: {} }, { cut: true }, { body: { kind: 'Zone' } }]);
  const asking = client([server!]);
  await asking.send('GET', '/');
  await failure(asking.send('GET', '/'));
  expect(await asking.send('GET', '/')).toEqual({ kind: 'Zone' });
  expect(server!.connections).toBe(2);
});

test('whoever stops waiting is told why at once, and others on the connection go on', async () => {
  const [server] = await servers([{ silent: true }, { body: { kind: 'Zone' } }]);
  const asking = client([server!]);
  const stop = new AbortController();
  const left = failure(asking.send('GET', '/', { signal: stop.signal }));
  await expect.poll(() => server!.seen.length).toBe(1);
  const goesOn = asking.send('GET', '/');
  stop.abort(new PlumbError({ reason: 'Interrupted', message: 'enough', retry: 'terminal' }));
  expect(await left).toMatchObject({ reason: 'Interrupted' });
  expect(await goesOn).toEqual({ kind: 'Zone' });
});

test('a server of an unknown authority is not believed, whatever the environment says of certificates', async () => {
  const [server] = await servers([{ body: {} }]);
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const ask = (ca: string | undefined) => client([server!], { connection: { ca } }).ask('GET', '/');
  expect(await failure(ask(undefined))).toMatchObject({ reason: 'Untrusted', retry: 'terminal' });
  expect(server!.seen).toEqual([]);
  await expect(ask(UNKNOWN_SERVER.cert)).resolves.toMatchObject({ status: 200 });
  const elsewhere = client([server!], { connection: { serverName: 'plumb.example' } });
  expect(await failure(elsewhere.ask('GET', '/'))).toMatchObject({ reason: 'Untrusted' });
});

test('a credential never goes over plain HTTP unless that is said, and is in no log', async () => {
  const plain = [{ url: 'http://127.0.0.1:1' }];
  expect(() => client(plain)).toThrow(expect.objectContaining({ reason: 'PlainHttp' }));
  expect(() => client([{ url: 'https://127.0.0.1:1' }, ...plain])).toThrow('is plain HTTP');
  client(plain, { connection: { plainHttp: true } });
  client(plain, { connection: { token: undefined } });
  const logs: unknown[] = [];
  const [server] = await servers([status(403, 'Forbidden')]);
  const asking = client([server!], { log: (...said) => logs.push(said) });
  const error = await failure(asking.send('POST', '/secrets', { body: { data: 'hush-hush too' } }));
  expect(`${JSON.stringify(logs)}${error.message}${error.stack}`).not.toContain('hush');
  expect(logs).toEqual([['POST /secrets', { code: 403, ms: expect.any(Number) }]]);
});
