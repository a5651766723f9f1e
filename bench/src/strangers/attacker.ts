/**
 * A stranger that reaches the port and has no credential: keeps so many connections busy for so many seconds, each as fast as it
 * can, in the ways below. A connection that is closed is opened again at once. Traffic goes to this machine only.
 *
 * `node attacker.ts FROM:PORT CONNECTIONS SECONDS [WAY…]`; prints `attacking` when it begins, and what it did when it ends.
 */
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';

const HOST = '127.0.0.1';
/** What one connection sends before it lets the others have their turn, in bytes. */
const PART = 64 * 1024;
/** A stranger that is refused at once comes again after this, in milliseconds: as soon as it can. */
const AGAIN_MS = 1;

const [target = '', connections, seconds, ...chosen] = process.argv.slice(2);
/** Comes from an address of this machine of its own: `127.0.0.9:7443`. */
const [localAddress = '', port = ''] = target.split(':');
if (!/^127\.\d+\.\d+\.\d+$/.test(localAddress)) throw new Error('attacks go from this machine to this machine only');
const endAt = performance.now() + Number(seconds) * 1000;
const done: Record<string, number> = { connections: 0, handshakes: 0, requests: 0, answers: 0, bytes: 0 };

const count = (what: string, by = 1) => {
  done[what] = (done[what] ?? 0) + by;
};
const over = () => performance.now() >= endAt;

/** Begins one connection, and resolves when it has ended. */
type Way = () => Promise<void>;

const ways: Readonly<Record<string, Way>> = {
  /** Bytes that are no TLS. */
  junk: () => flood(tcp(), Buffer.alloc(PART, 'junk')),
  /** Handshakes, one after the other. */
  handshakes: () => ended(tls(), (socket) => socket.destroy()),
  /** A handshake that is begun and never ended. */
  halves: () => ended(tcp(), (socket) => socket.write(Buffer.from('16030100f8010000f40303', 'hex'))),
  /** Requests without a token, a hundred at a time. */
  requests: () => session((client) => keepAsking(client, { ':path': '/apis/plumb.dev/v1/zones' }, 100)),
  /** Bodies of which no end is seen. */
  bodies: () =>
    session((client) => {
      const stream = client.request({ ':method': 'POST', ':path': '/apis/plumb.dev/v1/zones' });
      stream.on('error', () => {});
      void pour(stream, Buffer.alloc(PART, ' '));
    }),
  /** Frames of HTTP/2 that ask for nothing. */
  pings: () =>
    flood(tls(), Buffer.concat(Array(1000).fill(Buffer.from('0000080600000000000000000000000000', 'hex'))), (socket) =>
      socket.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')),
    ),
  /** Agents' streams without a credential, with frames as large as they come. */
  frames: () => agent({}, Buffer.concat([Buffer.from('0000400000', 'hex'), Buffer.alloc(PART)])),
  /** Agents' streams with a credential that nobody has, and frames of many small messages. */
  guesses: () =>
    agent(
      { 'plumb-host': 'h', authorization: `Bearer ${'x'.repeat(43)}`, 'plumb-protocol': '2', 'plumb-types': 'image' },
      Buffer.concat([Buffer.from('0000008000', 'hex'), Buffer.alloc(0x8000, Buffer.from([0x0a, 0x00]))]),
    ),
  /** Joins with a token that nobody has. */
  joins: () =>
    session(
      (client) => keepAsking(client, grpc('Join'), 20, Buffer.from('00000000060a0178120168', 'hex')),
      AGENT_SERVER_NAME,
    ),
};

function tcp(): Socket {
  count('connections');
  return connect({ host: HOST, port: Number(port), localAddress });
}

function tls(servername = 'localhost'): TLSSocket {
  const socket = connectTls({ socket: tcp(), servername, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  socket.once('secureConnect', () => count('handshakes'));
  return socket;
}

/** Does `work` once the connection is open, and resolves when it is closed, or the time is over. */
function ended<S extends Socket>(socket: S, work: (socket: S) => void): Promise<void> {
  return new Promise((resolve) => {
    const stop = setTimeout(() => socket.destroy(), Math.max(0, endAt - performance.now()));
    socket.on('error', () => {});
    socket.resume();
    socket.once('connect' in socket && 'encrypted' in socket ? 'secureConnect' : 'connect', () => work(socket));
    socket.once('close', () => {
      clearTimeout(stop);
      resolve();
    });
  });
}

function flood<S extends Socket>(socket: S, bytes: Buffer, first: (socket: S) => void = () => {}): Promise<void> {
  return ended(socket, (open) => {
    first(open);
    void pour(open, bytes);
  });
}

/** Writes for as long as it is taken. */
async function pour(to: NodeJS.WritableStream & { destroyed?: boolean }, bytes: Buffer): Promise<void> {
  while (!over() && to.writable && !to.destroyed) {
    count('bytes', bytes.length);
    if (!to.write(bytes)) await new Promise<void>((resolve) => to.once('drain', resolve));
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

function session(work: (client: http2.ClientHttp2Session) => void, servername = 'localhost'): Promise<void> {
  const socket = tls(servername);
  return ended(socket, () => {
    const client = http2.connect(`https://${HOST}:${port}`, { createConnection: () => socket });
    client.on('error', () => {});
    client.once('goaway', () => client.destroy());
    work(client);
  });
}

function keepAsking(client: http2.ClientHttp2Session, headers: object, atOnce: number, body?: Buffer): void {
  const ask = () => {
    if (over() || client.closed || client.destroyed) return;
    count('requests');
    const stream = client.request({ ...headers }, { endStream: body === undefined });
    stream.on('error', () => {});
    stream.on('response', () => count('answers'));
    stream.on('close', ask);
    stream.resume();
    if (body) stream.end(body);
  };
  for (let n = 0; n < atOnce; n++) ask();
}

function grpc(method: string): object {
  return {
    ':method': 'POST',
    ':path': `/plumb.agent.v1.Fleet/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
}

function agent(said: object, frame: Buffer): Promise<void> {
  return session((client) => {
    const open = () => {
      if (over() || client.closed || client.destroyed) return;
      count('requests');
      const stream = client.request({ ...grpc('Connect'), ...said });
      stream.on('error', () => {});
      stream.on('close', open);
      stream.resume();
      void pour(stream, frame);
    };
    for (let n = 0; n < 4; n++) open();
  }, AGENT_SERVER_NAME);
}

async function keep(way: Way): Promise<void> {
  while (!over()) {
    await way();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

const names = chosen.length > 0 ? chosen : Object.keys(ways);
process.stdout.write('attacking\n');
await Promise.all(Array.from({ length: Number(connections) }, (_, n) => keep(ways[names[n % names.length]!]!)));
process.stdout.write(`${JSON.stringify(done)}\n`);
process.exit(0);
