/** Servers as clients may meet them: each gives the answers of a list one after the other, and the last one for ever. */
import { once } from 'node:events';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttp1 } from 'node:https';
import type { AddressInfo } from 'node:net';
import { realAmbient } from '@plumb/schemas';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import type { Bounds } from '../bounds.ts';
import { Client, type ClientOptions } from '../client.ts';
import type { Connection } from '../connection.ts';

/** `cut`: the connection breaks instead. `stays`: what is written is all for now, and the answer does not end. */
export type Given = {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  lines?: object[];
  cut?: true;
  stays?: true;
  /** Nothing is said at all. */
  silent?: true;
};

export interface Seen {
  method: string;
  path: string;
  headers: Record<string, unknown>;
}

export interface TestServer {
  url: string;
  seen: Seen[];
  /** How many connections there were. */
  connections: number;
  close(): void;
}

/** `newest`: the newest HTTP that it speaks. */
export async function serve(answers: readonly Given[], newest: 'h2' | 'http/1.1' = 'h2'): Promise<TestServer> {
  const made: TestServer = { url: '', seen: [], connections: 0, close() {} };
  const answer = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const given = answers[Math.min(made.seen.length, answers.length - 1)]!;
    made.seen.push({ method: request.method, path: request.url, headers: request.headers });
    request.resume();
    if (given.silent) return;
    if (given.cut) return void request.stream.session?.destroy();
    response.writeHead(given.status ?? 200, given.headers);
    for (const line of given.lines ?? []) response.write(`${JSON.stringify(line)}\n`);
    if (given.stays) return;
    const text = textOf(given.body);
    // After an empty write HTTP/2 of Node 26.10 sends other memory in the place of what was written before.
    if (text === '') response.end();
    else response.end(text);
  };
  const server =
    newest === 'h2'
      ? http2.createSecureServer(UNKNOWN_SERVER, answer)
      : createHttp1(UNKNOWN_SERVER, (request, response) => answer(request as never, response as never));
  const sockets = new Set<{ destroy(): void }>();
  server.on('secureConnection', (socket) => {
    made.connections++;
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  made.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  made.close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return made;
}

function textOf(body: unknown): string {
  return body === undefined || typeof body === 'string' ? (body ?? '') : JSON.stringify(body);
}

export interface ClientSettings extends Partial<Omit<ClientOptions, 'connection' | 'bounds'>> {
  bounds?: Partial<Bounds>;
  connection?: Partial<Connection>;
}

/** A client of those servers, which it believes. */
export function clientOf(servers: readonly { url: string }[], { connection, ...more }: ClientSettings = {}): Client {
  return new Client({
    connection: {
      endpoints: servers.map(({ url }) => url),
      ca: UNKNOWN_SERVER.cert,
      token: 'hush-hush',
      ...connection,
    },
    ambient: realAmbient(),
    surroundings: { env: {}, cwd: '/' },
    userAgent: 'test',
    untrusted: (server, why) => `${server} is not trusted: ${why}`,
    ...more,
  });
}
