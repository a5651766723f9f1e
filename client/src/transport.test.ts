import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { realAmbient } from '@plumb/schemas';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Connection } from './connection.ts';
import { execPlugin } from './exec-plugin.ts';
import { Transport } from './transport.ts';

let server: Server;
let heard: (string | undefined)[];
/** What the server does not take. */
let refused: string | undefined;
const V1 = 'client.authentication.k8s.io/v1';

beforeEach(async () => {
  heard = [];
  refused = undefined;
  server = createServer(UNKNOWN_SERVER, (request, response) => {
    heard.push(request.headers.authorization);
    if (request.headers.authorization === refused) response.statusCode = 401;
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

function createProxy(connect: (request: IncomingMessage, socket: Duplex) => void) {
  return createHttp().on('connect', connect);
}

async function ask(more: Partial<Connection> = {}, env: Record<string, string> = {}): Promise<unknown> {
  const endpoints = [`https://127.0.0.1:${(server.address() as AddressInfo).port}`];
  const transport = new Transport({
    connection: { endpoints, token: 'secret', ...more },
    clock: realAmbient().clock,
    surroundings: { env, cwd: '/' },
    userAgent: 'test',
    untrusted: (url, why) => `${url} is not trusted: ${why}`,
  });
  try {
    return await transport.json({ method: 'GET', path: '/' }, new AbortController().signal);
  } finally {
    transport.close();
  }
}

test('a server of an unknown authority gets no token, whatever the environment says of certificates', async () => {
  await expect(ask()).rejects.toMatchObject({ reason: 'Untrusted', retry: 'terminal' });
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  await expect(ask()).rejects.toMatchObject({ reason: 'Untrusted', retry: 'terminal' });
  expect(heard).toEqual([]);
});

test('a proxy of the run is used, one of this process is not, and none for a server on this machine', async () => {
  const asked: string[] = [];
  const proxy = createProxy((request, socket) => {
    asked.push(request.url ?? '');
    const { port } = server.address() as AddressInfo;
    const onward = connectTo(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  vi.stubEnv('HTTPS_PROXY', url);
  vi.stubEnv('NODE_USE_ENV_PROXY', '1');
  try {
    const far = { endpoints: ['https://plumb.invalid:7443'], serverName: 'localhost', ca: UNKNOWN_SERVER.cert };
    await expect(ask(far)).rejects.toMatchObject({ reason: 'Unreachable' });
    await ask({ ca: UNKNOWN_SERVER.cert });
    expect(asked).toEqual([]);
    await ask({ ca: UNKNOWN_SERVER.cert }, { HTTPS_PROXY: url });
    expect(asked).toEqual([]);
    await ask(far, { HTTPS_PROXY: url });
    await ask({ ...far, proxy: url });
    expect(asked).toEqual(['plumb.invalid:7443', 'plumb.invalid:7443']);
    await expect(ask(far, { HTTPS_PROXY: url, NO_PROXY: 'plumb.invalid' })).rejects.toMatchObject({
      reason: 'Unreachable',
    });
  } finally {
    proxy.close();
  }
});

test('a token that a program gave and that has ended is asked for again, in the middle of whatever goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-transport-'));
  const count = join(folder, 'count');
  writeFileSync(count, '');
  const script = `echo x >> ${count}; printf '{"status":{"token":"%s"}}' "$MINE-$(wc -l < ${count} | tr -d ' ')"`;
  const exec = execPlugin({ apiVersion: V1, command: '/bin/sh', args: ['-c', script] }, folder);
  refused = 'Bearer me-1';
  try {
    const answers = await ask(
      { ca: UNKNOWN_SERVER.cert, token: undefined, exec },
      { MINE: 'me', PATH: process.env.PATH! },
    );
    expect(answers).toEqual({});
    expect(heard).toEqual(['Bearer me-1', 'Bearer me-2']);
    refused = 'Bearer me-3';
    writeFileSync(count, 'x\nx\n');
    heard.length = 0;
    await ask({ ca: UNKNOWN_SERVER.cert, token: undefined, exec }, { MINE: 'me', PATH: process.env.PATH! });
    expect(heard).toEqual(['Bearer me-3', 'Bearer me-4']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('one whose authority is given, or of which a kubeconfig says that it is not verified, is asked', async () => {
  await expect(ask({ ca: UNKNOWN_SERVER.cert })).resolves.toEqual({});
  await expect(ask({ insecure: true })).resolves.toEqual({});
  expect(heard).toEqual(['Bearer secret', 'Bearer secret']);
});
