import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { realAmbient } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silent } from '../log.ts';
import { UNKNOWN_SERVER } from '../testing/unknown-server.ts';
import type { Connection } from './connection.ts';
import { Transport } from './transport.ts';

let server: Server;
let heard: (string | undefined)[];

beforeEach(async () => {
  heard = [];
  server = createServer(UNKNOWN_SERVER, (request, response) => {
    heard.push(request.headers.authorization);
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

async function ask(more: Partial<Connection> = {}): Promise<unknown> {
  const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const transport = new Transport({ endpoint, token: 'secret', ...more }, realAmbient().clock, silent);
  try {
    return await transport.json({ method: 'GET', path: '/' }, new AbortController().signal);
  } finally {
    transport.close();
  }
}

test('a server of an unknown authority gets no token, whatever the environment says of certificates', async () => {
  await expect(ask()).rejects.toMatchObject({ reason: 'BadCertificate', retry: 'terminal' });
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  await expect(ask()).rejects.toMatchObject({ reason: 'BadCertificate', retry: 'terminal' });
  expect(heard).toEqual([]);
});

test('one whose authority is given, or of which a kubeconfig says that it is not verified, is asked', async () => {
  await expect(ask({ ca: UNKNOWN_SERVER.cert })).resolves.toEqual({});
  await expect(ask({ insecure: true })).resolves.toEqual({});
  expect(heard).toEqual(['Bearer secret', 'Bearer secret']);
});
