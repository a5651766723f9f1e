/** What a stranger may say to the agents' endpoint, over real HTTP/2 on loopback; TLS is done before. */
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { realAmbient, terminal } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { callMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import { agentFrame, joinRequest } from '@plumb/schemas/wire/codec.ts';
import { CONNECT_PATH, JOIN_PATH } from '@plumb/schemas/wire/fleet-service.ts';
import type { AgentMessage, JoinRequest } from '@plumb/schemas/wire/messages.ts';
import { expect, onTestFinished, test } from 'vitest';
import { FleetEndpoint } from './fleet-endpoint.ts';
import type { FrameCall, Heard, Peer } from './frame-call.ts';
import { CallFailure, STATUS } from './grpc/call-failure.ts';

const HEADERS = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

async function open(limits: Partial<ServerLimits> = {}) {
  const calls: FrameCall[] = [];
  const joins: JoinRequest[] = [];
  const peer = { address: '', shown: [] as string[], refusals: 0 };
  const watched: Peer = {
    address: '',
    identified: (host) => void peer.shown.push(host),
    refused: () => void peer.refusals++,
    use: () => () => {},
  };
  const endpoint = new FleetEndpoint(
    {
      async join(request) {
        joins.push(request);
        if (request.token === 'wrong') throw terminal('WrongJoinToken', 'that is not “it” — 100%');
      },
      connect: (call) => void calls.push(call),
    },
    { clock: realAmbient().clock, limits: { ...defaultServerLimits, ...limits } },
  );
  const server = createServer((socket) => endpoint.take(socket, watched)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => {});
  onTestFinished(() => {
    client.destroy();
    endpoint.close();
    server.close();
  });
  const call = (path: string, headers: Record<string, string> = {}) =>
    new Call(client.request({ ...HEADERS, ':path': path, ...headers }));
  return { endpoint, calls, joins, peer, client, call };
}

/** A call of a client that follows no rule. */
class Call {
  readonly stream: http2.ClientHttp2Stream;
  readonly #status: Promise<{ code: number; message: string }>;

  constructor(stream: http2.ClientHttp2Stream) {
    this.stream = stream;
    const { promise, resolve } = Promise.withResolvers<{ code: number; message: string }>();
    this.#status = promise;
    const seen = (headers: http2.IncomingHttpHeaders) => {
      const { 'grpc-status': code, 'grpc-message': message = '' } = headers as Record<string, string>;
      if (code !== undefined) resolve({ code: Number(code), message: decodeURI(message) });
    };
    stream.on('response', seen);
    stream.on('trailers', seen);
    stream.on('error', () => {});
    stream.on('close', () => resolve({ code: -1, message: `closed with ${stream.rstCode}` }));
    stream.resume();
  }

  send(message: Uint8Array, { length = message.length, flag = 0 } = {}): this {
    const head = Buffer.alloc(5);
    head[0] = flag;
    head.writeUInt32BE(length, 1);
    this.stream.write(Buffer.concat([head, message]));
    return this;
  }

  /** What it ended with. */
  status(): Promise<{ code: number; message: string }> {
    return this.#status;
  }
}

const heartbeat: AgentMessage = { host: '', body: 'heartbeat', heartbeat: { sequence: 1 } };
const request = (host = 'h') => joinRequest.encode({ token: 't', host, registerZone: '', credentialSha256: 'ab' });

test('a join is answered; one that is refused says why, in whatever characters', async () => {
  const { call, joins, peer } = await open();
  expect(await call(JOIN_PATH).send(request()).status()).toEqual({ code: STATUS.ok, message: '' });
  expect(peer).toMatchObject({ shown: ['h'], refusals: 0 });
  const wrong = joinRequest.encode({ token: 'wrong', host: 'h', registerZone: '', credentialSha256: '' });
  expect(await call(JOIN_PATH).send(wrong).status()).toEqual({
    code: STATUS.unauthenticated,
    message: 'that is not “it” — 100%',
  });
  expect(peer).toMatchObject({ shown: ['h'], refusals: 1 });
  expect(joins).toHaveLength(2);
});

test('what is said before it is known who speaks is refused by its length, before it has come', async () => {
  const { call, joins, calls, client, peer } = await open();
  const join = call(JOIN_PATH).send(Buffer.alloc(10), { length: defaultServerLimits.joinBytes + 1 });
  expect(await join.status()).toMatchObject({
    code: STATUS.resourceExhausted,
    message: expect.stringContaining('4096'),
  });
  expect(joins).toEqual([]);
  const stream = call(CONNECT_PATH).send(Buffer.alloc(10), { length: defaultServerLimits.attachBytes + 1 });
  await expect.poll(() => calls.length).toBe(1);
  expect(await calls[0]!.first()).toBeUndefined();
  expect((await stream.status()).code).toBe(STATUS.resourceExhausted);
  expect(client.destroyed).toBe(false);
  expect(peer.refusals).toBe(2);
});

test.each([
  ['compressed', Buffer.alloc(3), { flag: 1 }, STATUS.unimplemented],
  ['no message', Buffer.from([0xff, 0xff, 0xff]), {}, STATUS.invalidArgument],
])('a join that is %s is refused', async (_, bytes, how, code) => {
  const { call, joins } = await open();
  expect((await call(JOIN_PATH).send(bytes, how).status()).code).toBe(code);
  expect(joins).toEqual([]);
});

test('of a stream nothing is decoded before its credential was looked at, and nothing is kept beyond its window', async () => {
  const { call, calls, endpoint, client } = await open();
  const stream = call(CONNECT_PATH, callMetadata('h', 'secret'));
  await expect.poll(() => calls.length).toBe(1);
  expect(calls[0]!.facts).toMatchObject({ protocol: 2, bearer: { host: 'h', credential: 'secret' } });
  const frame = agentFrame.encode({ messages: Array(1000).fill(heartbeat) });
  for (let n = 0; n < 200; n++) stream.send(frame);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(endpoint.traffic).toMatchObject({ bytesReceived: 0, messagesReceived: 0 });
  // The window is full: the rest waits in the client.
  expect(stream.stream.writableLength).toBeGreaterThan(500_000);
  expect(client.remoteSettings.initialWindowSize).toBe(16_384);
  calls[0]!.fail(new CallFailure(STATUS.unauthenticated, 'unknown'));
  expect(await stream.status()).toEqual({ code: STATUS.unauthenticated, message: 'unknown' });
  expect(endpoint.traffic.messagesReceived).toBe(0);
});

test('frames are heard in order once the stream is open, and one that cannot be decoded ends it', async () => {
  const { call, calls, endpoint } = await open();
  const stream = call(CONNECT_PATH, callMetadata('h', 'secret'));
  await expect.poll(() => calls.length).toBe(1);
  const heard: Heard[number][] = [];
  let why = '';
  calls[0]!.onEnd((reason) => {
    why = reason;
  });
  calls[0]!.open((messages) => heard.push(...messages));
  const numbered = (sequence: number) =>
    agentFrame.encode({ messages: [{ host: '', body: 'heartbeat', heartbeat: { sequence } }] });
  for (let n = 0; n < 1000; n++) stream.send(numbered(n));
  await expect.poll(() => heard.length).toBe(1000);
  expect(heard.map((message) => message.body === 'heartbeat' && message.heartbeat.sequence)).toEqual([
    ...Array(1000).keys(),
  ]);
  expect(endpoint.traffic.messagesReceived).toBe(1000);
  stream.send(Buffer.from([0x0b]));
  expect(await stream.status()).toMatchObject({ code: STATUS.invalidArgument });
  expect(why).toContain('cannot be decoded');
});

test('a stream that is held is not read, and is read on afterwards', async () => {
  const { call, calls } = await open();
  const stream = call(CONNECT_PATH, callMetadata('h', 'secret'));
  await expect.poll(() => calls.length).toBe(1);
  let heard = 0;
  let resume = () => {};
  calls[0]!.open(() => {
    heard++;
    if (heard === 1) resume = calls[0]!.hold();
  });
  const frame = agentFrame.encode({ messages: [heartbeat] });
  for (let n = 0; n < 50; n++) stream.send(frame);
  await expect.poll(() => heard).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard).toBe(1);
  resume();
  await expect.poll(() => heard).toBe(50);
});

test.each([
  ['no credential', { 'plumb-host': 'h' }, STATUS.invalidArgument],
  ['no host', { authorization: 'Bearer x' }, STATUS.invalidArgument],
  ['another scheme', { 'plumb-host': 'h', authorization: 'Basic x' }, STATUS.invalidArgument],
  ['a version of another age', { ...callMetadata('h', 'x'), 'plumb-protocol': '9' }, STATUS.failedPrecondition],
  ['no version', { 'plumb-host': 'h', authorization: 'Bearer x' }, STATUS.failedPrecondition],
])('a call whose metadata hold %s is refused', async (_, headers, code) => {
  const { call, calls, peer } = await open();
  expect((await call(CONNECT_PATH, headers).status()).code).toBe(code);
  expect([calls.length, peer.refusals]).toEqual([0, 1]);
});

test('neighbouring versions are understood', async () => {
  const { call, calls } = await open();
  for (const version of ['1', '2', '3']) call(CONNECT_PATH, { ...callMetadata('h', 'x'), 'plumb-protocol': version });
  await expect.poll(() => calls.length).toBe(3);
});

test('what is no call of an agent is refused', async () => {
  const { call, peer, calls } = await open();
  expect((await call('/plumb.agent.v1.Fleet/Nothing').status()).code).toBe(STATUS.unimplemented);
  expect((await call(CONNECT_PATH, { 'content-type': 'text/html' }).status()).code).toBe(STATUS.invalidArgument);
  expect((await call(CONNECT_PATH, { ':method': 'PUT' }).status()).code).toBe(STATUS.invalidArgument);
  expect([peer.refusals, calls.length]).toEqual([3, 0]);
});

test('a connection has few streams without a credential, and the metadata of none are long', async () => {
  const { call, calls, client } = await open({ unattachedStreamsPerConnection: 2, streamsPerAgentConnection: 8 });
  call(CONNECT_PATH);
  call(CONNECT_PATH);
  expect((await call(CONNECT_PATH).status()).code).toBe(STATUS.resourceExhausted);
  expect(calls).toHaveLength(2);
  // One that has shown its credential is not counted any more.
  calls[0]!.open(() => {});
  call(CONNECT_PATH);
  await expect.poll(() => calls.length).toBe(3);
  expect(client.remoteSettings.maxConcurrentStreams).toBe(8);
  const long = await call(JOIN_PATH, { filler: 'x'.repeat(defaultServerLimits.callMetadataBytes + 1) }).status();
  expect(long.code).toBe(-1);
});
