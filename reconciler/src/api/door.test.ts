/** The port towards strangers, over real TLS: what passes the door, and what ends there. */
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import { expect, onTestFinished, test } from 'vitest';
import type { AgentPeer } from './door/agent-peer.ts';
import { type ApiRig, startApiRig, V1 } from './testing/rig.ts';

async function start(options: Parameters<typeof startApiRig>[0] = {}): Promise<ApiRig> {
  const api = await startApiRig(options);
  onTestFinished(() => api.stop());
  return api;
}

function opened<T extends Socket | TLSSocket>(socket: T): T & { ended: Promise<void> } {
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return Object.assign(socket, { ended: once(socket, 'close').then(() => {}) });
}

const tls = (api: ApiRig, options: ConnectionOptions = {}) =>
  opened(connectTls({ host: '127.0.0.1', port: api.port, ca: api.pki.authority, ALPNProtocols: ['h2'], ...options }));

/** Statuses of requests that follow each other on one connection, until it is closed. */
async function asked(api: ApiRig, times: number, headers: Record<string, string> = {}) {
  const session = http2.connect(api.url, { ca: api.pki.authority });
  session.on('error', () => {});
  onTestFinished(() => void session.destroy());
  const statuses: number[] = [];
  for (let n = 0; n < times && !session.closed && !session.destroyed; n++) {
    const stream = session.request({ ':path': `${V1}/zones`, ...headers });
    stream.on('error', () => {});
    stream.resume();
    stream.on('response', (answer) => statuses.push(answer[':status']!));
    await new Promise((resolve) => stream.on('close', resolve));
  }
  return { session, statuses };
}

test('a connection without a token is answered a few times and then closed; one with a token goes on', async () => {
  const api = await start();
  const { unauthenticatedRequests: most } = defaultServerLimits;
  const { statuses, session } = await asked(api, 100);
  expect(statuses.length).toBeGreaterThanOrEqual(most);
  expect(statuses.length).toBeLessThanOrEqual(most + 2);
  expect(new Set(statuses)).toEqual(new Set([401]));
  await expect.poll(() => session.closed).toBe(true);
  const known = await asked(api, 50, { authorization: `Bearer ${api.token}` });
  expect(known.statuses).toEqual(Array(50).fill(200));
});

test('HTTP/1.1 is bounded in the same way', async () => {
  const api = await start();
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: api.pki.authority });
  onTestFinished(() => agent.destroy());
  const sockets = new Set<unknown>();
  for (let n = 0; n < 40; n++)
    await new Promise<void>((resolve) => {
      const request = https.get(`${api.url}/healthz`, { agent }, (response) => response.resume().on('end', resolve));
      request.on('socket', (socket) => sockets.add(socket));
      request.on('error', () => resolve());
    });
  expect(sockets.size).toBeGreaterThanOrEqual(2);
  expect(sockets.size).toBeLessThanOrEqual(4);
});

test('who shows nothing in time is closed, whatever he began', async () => {
  const api = await start();
  const bare = opened(connect(api.port, '127.0.0.1'));
  const shaken = tls(api);
  const agents = tls(api, { servername: AGENT_SERVER_NAME });
  await once(shaken, 'secureConnect');
  for (const socket of [bare, shaken, agents]) socket.resume();
  // It is not known when the server has taken a connection: until then no time of it has passed.
  const closed = () => [bare, shaken, agents].filter((socket) => socket.closed).length;
  await expect.poll(async () => api.clock.advance(15_000).then(closed)).toBe(3);
  expect((await api.ask('GET', `${V1}/zones`)).status).toBe(200);
});

test('who says very much without a credential is closed', async () => {
  const api = await start();
  const loud = tls(api);
  await once(loud, 'secureConnect');
  // What nobody asked for, in frames of HTTP/2: pings.
  loud.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  loud.write(Buffer.from('000000040000000000', 'hex'));
  const pings = Buffer.concat(Array(5000).fill(Buffer.from('0000080600000000000000000000000000', 'hex')));
  loud.resume();
  for (let n = 0; n < 10 && !loud.destroyed; n++) {
    loud.write(pings);
    await api.clock.advance(20);
  }
  await loud.ended;
});

test('a flood of handshakes waits behind itself, and who comes then is served', async () => {
  const api = await start({
    limits: { ...defaultServerLimits, handshakesPerAddressAtOnce: 5, handshakesPerAddressPerSecond: 10 },
  });
  const flood = Array.from({ length: 40 }, () => tls(api));
  const shaken = () =>
    flood.filter((socket) => socket.encrypted && socket.getProtocol() !== null && socket.authorized).length;
  await expect.poll(shaken).toBe(5);
  const client = tls(api);
  await expect.poll(() => api.clock.advance(110).then(() => client.authorized)).toBe(true);
  expect(shaken()).toBeLessThan(30);
});

test('a trusted proxy says where a connection comes from; from others the header is none', async () => {
  const peers: AgentPeer[] = [];
  const api = await start({ trustedProxies: ['127.0.0.2'], onAgentConnection: (_socket, peer) => peers.push(peer) });
  const from = (localAddress: string, ...first: Buffer[]) => {
    const socket = opened(connect({ port: api.port, host: '127.0.0.1', localAddress }));
    for (const bytes of first) socket.write(bytes);
    return socket;
  };
  const shake = (socket: Socket) => once(tls(api, { socket, servername: AGENT_SERVER_NAME }), 'secureConnect');
  await shake(from('127.0.0.2', header('203.0.113.5')));
  await shake(from('127.0.0.2', header('203.0.113.6').subarray(0, 9), header('203.0.113.6').subarray(9)));
  await shake(from('127.0.0.1'));
  await expect.poll(() => peers.map(({ address }) => address)).toEqual(['203.0.113.5', '203.0.113.6', '127.0.0.1']);
  await from('127.0.0.1', header('203.0.113.7')).ended;
  await from('127.0.0.2', Buffer.from('16030100f8010000f403030000000000', 'hex')).ended;
  expect(peers).toHaveLength(3);
});

function header(source: string): Buffer {
  const head = Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex');
  const addresses = Buffer.from([...source.split('.').map(Number), 127, 0, 0, 1, 0x9c, 0x40, 0x1c, 0xfb]);
  return Buffer.concat([head, addresses]);
}
