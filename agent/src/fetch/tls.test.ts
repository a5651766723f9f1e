import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { findUser } from '@plumb/schemas/sources/users.ts';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Fetcher } from './fetcher.ts';

let folder: string;
let server: Server;
let port: number;
let fetcher: Fetcher;
const before = { ...process.env };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-tls-'));
  await writeFile(join(folder, 'authority.pem'), UNKNOWN_SERVER.cert, { mode: 0o600 });
  server = createServer(UNKNOWN_SERVER, (request, response) => {
    if (request.url === '/down') response.writeHead(302, { location: `http://localhost:${port}/` }).end();
    else response.end('an image');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  fetcher.close();
  process.env = { ...before };
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** With this environment of the agent. */
async function fetchWith(env: Record<string, string>, url: string): Promise<string> {
  Object.assign(process.env, env);
  fetcher = new Fetcher({
    rules: { sources: ['localhost', '127.0.0.0/8'] },
    user: () => findUser('nobody'),
    clock: realAmbient().clock,
    log: () => {},
  });
  const source = await fetcher.open(url, AbortSignal.timeout(15_000));
  try {
    let text = '';
    for await (const chunk of source.chunks) text += Buffer.from(chunk).toString();
    return text;
  } finally {
    source.close();
  }
}

// What only root may read is read before the process gives up root.
const known = () => ({ NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') });

test('a server whose authority nobody knows is refused, whatever the environment of the agent says', async () => {
  const failure = fetchWith({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, `https://localhost:${port}/`);
  await expect(failure).rejects.toMatchObject({ reason: 'ImageUnavailable' });
  await expect(failure).rejects.toThrow(/self-signed certificate/);
});

test('an authority that the operator adds is known', async () => {
  expect(await fetchWith(known(), `https://localhost:${port}/`)).toBe('an image');
  expect(await fetchWith(known(), `https://127.0.0.1:${port}/`)).toBe('an image');
});

test('a redirect to http ends there', async () => {
  const failure = fetchWith(known(), `https://localhost:${port}/down`);
  await expect(failure).rejects.toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
  await expect(failure).rejects.toThrow(/from https to http/);
});

test('the certificate must be that of the name in the URL, not of the address that was connected to', async () => {
  const other = createServer(UNKNOWN_SERVER, (_request, response) => response.end('an image'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.2', resolve));
  try {
    const failure = fetchWith(known(), `https://127.0.0.2:${(other.address() as AddressInfo).port}/`);
    await expect(failure).rejects.toThrow(/altnames/);
  } finally {
    other.close();
  }
});
