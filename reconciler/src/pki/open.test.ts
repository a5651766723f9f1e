import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { type Ambient, realAmbient } from '@plumb/schemas';
import { AGENT_SERVER_NAME, caPin, formatJoinToken, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { MemoryStore } from '../store/memory.ts';
import { localUrl, openPki, type Pki } from './open.ts';
import { servingNames } from './serving.ts';

const YEAR = 365 * 86_400_000;

let dataDir: string;
let store: MemoryStore;
const open: Pki[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumb-pki-'));
  store = new MemoryStore();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((pki) => pki.close()));
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function start(more: { ambient?: Ambient; store?: MemoryStore; names?: string[] } = {}): Promise<Pki> {
  const pki = await openPki({ dataDir, store, ambient: realAmbient(), host: '127.0.0.1', ...more });
  await pki.writeKubeconfig('https://127.0.0.1:7443');
  open.push(pki);
  return pki;
}

const leaf = (pki: Pki) => new X509Certificate(pki.tls.current().cert);

describe('openPki', () => {
  test('makes everything once and finds it again', async () => {
    const first = await start();
    const config = await readFile(first.kubeconfigFile, 'utf8');
    const second = await start();
    expect(second.authority).toBe(first.authority);
    expect(second.tls.current()).toEqual(first.tls.current());
    expect(await readFile(second.kubeconfigFile, 'utf8')).toBe(config);
    expect(await readFile(second.joinTokenFile!, 'utf8')).toBe(await readFile(first.joinTokenFile!, 'utf8'));
  });

  test('secrets are readable by their owner alone, and the store holds none of them', async () => {
    const pki = await start();
    for (const file of [pki.kubeconfigFile, pki.joinTokenFile!, join(dataDir, 'pki', 'ca.key')]) {
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    }
    expect((await readdir(join(dataDir, 'pki'))).sort()).toEqual([
      'accounts.key',
      'ca.crt',
      'ca.key',
      'serving.crt',
      'serving.key',
    ]);
    const stored = JSON.stringify((await store.list('/')).entries);
    const { secret } = parseJoinToken(await readFile(pki.joinTokenFile!, 'utf8'));
    expect(stored).not.toContain(secret);
    const token = /token: (\S+)/.exec(await readFile(pki.kubeconfigFile, 'utf8'))![1]!;
    expect(stored).not.toContain(token);
    expect(pki.tokens.check(token, 'api')?.name).toBe('admin');
    expect(pki.tokens.check(secret, 'api')).toBeUndefined();
    expect(pki.tokens.check(token, 'join')).toBeUndefined();
    expect(pki.tokens.check('', 'api')).toBeUndefined();
  });

  test('a server that others reach has no token for any host, and the one of before is void', async () => {
    const alone = await start();
    const token = await readFile(alone.joinTokenFile!, 'utf8');
    expect(alone.mayJoin(token)).toBe(true);
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      const reached = await openPki({ dataDir, store, ambient: realAmbient(), host });
      open.push(reached);
      expect(reached.joinTokenFile).toBeUndefined();
      expect(reached.mayJoin(token)).toBe(false);
      expect(await readdir(dataDir)).not.toContain('join-token');
    }
  });

  test('a client that knows the authority trusts every name of the server', async () => {
    const pki = await start();
    for (const servername of ['localhost', AGENT_SERVER_NAME]) {
      const authorized = await handshake(pki, servername);
      expect(authorized).toBe(true);
    }
    await expect(handshake(pki, 'elsewhere.example')).rejects.toThrow(/altnames/);
    expect(leaf(pki).checkIP('127.0.0.1')).toBeDefined();
    expect(leaf(pki).checkIP('::1')).toBeDefined();
  });

  test('the authority is presented too, so that an agent can hold it to its pin', async () => {
    const pki = await start();
    const { caPin: pin } = parseJoinToken(await readFile(pki.joinTokenFile!, 'utf8'));
    expect(pki.tls.current().cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(caPin(pki.authority)).toBe(pin);
  });

  test('the certificate is issued again when a name is added and near its end, by the same authority', async () => {
    const first = await start();
    const named = await start({ names: ['plumb.example'] });
    expect(leaf(named).serialNumber).not.toBe(leaf(first).serialNumber);
    expect(leaf(named).checkHost('plumb.example')).toBe('plumb.example');
    expect(caPin(named.authority)).toBe(caPin(first.authority));

    const clock = new FakeClock(Date.now());
    const running = await start({ ambient: { ...realAmbient(), clock } });
    const before = leaf(running).serialNumber;
    let told = 0;
    running.tls.onRenewed(() => told++);
    clock.advanceAtOnce(YEAR - 59 * 86_400_000);
    // Looking takes real time, and a look that began before the time had come says nothing: until the next one.
    const nextLook = async () => {
      await clock.advance(13 * 3_600_000);
      return leaf(running).serialNumber;
    };
    await expect.poll(nextLook, { timeout: 10_000 }).not.toBe(before);
    expect(told).toBe(1);
    expect(leaf(running).validToDate.getTime()).toBeGreaterThan(clock.now() + 300 * 86_400_000);
  });

  test('a certificate that was issued while the clock ran ahead is replaced when the clock is right', async () => {
    const now = Date.now();
    const first = await start();
    const ahead = await start({ ambient: { ...realAmbient(), clock: new FakeClock(now + 3 * YEAR) } });
    expect(leaf(ahead).validFromDate.getTime()).toBeGreaterThan(now + YEAR);
    const right = await start();
    expect(leaf(right).validFromDate.getTime()).toBeLessThan(now);
    expect(leaf(right).validToDate.getTime()).toBeGreaterThan(now);
    expect(caPin(right.authority)).toBe(caPin(first.authority));
  });

  test('refuses half an authority rather than make another one', async () => {
    await start();
    await rm(join(dataDir, 'pki', 'ca.key'));
    await expect(start()).rejects.toMatchObject({ reason: 'AuthorityUnusable', retry: 'terminal' });
  });

  test('an empty store takes over the tokens of the files; a token that the store does not know is replaced', async () => {
    const first = await start();
    const config = await readFile(first.kubeconfigFile, 'utf8');
    const fresh = new MemoryStore();
    const second = await start({ store: fresh });
    expect(await readFile(second.kubeconfigFile, 'utf8')).toBe(config);

    await writeFile(second.kubeconfigFile, config.replace(/token: \S+/, 'token: forged'));
    const third = await start({ store: fresh });
    expect(third.tokens.check('forged', 'api')).toBeUndefined();
    const token = /token: (\S+)/.exec(await readFile(third.kubeconfigFile, 'utf8'))![1]!;
    expect(token).not.toBe('forged');
    expect(third.tokens.check(token, 'api')).toBeDefined();
    await fresh.close();
  });
});

describe('join token', () => {
  test('lets in who sends it, or its secret, and nobody else', async () => {
    const pki = await start();
    const text = await readFile(pki.joinTokenFile!, 'utf8');
    const token = parseJoinToken(text);
    expect(pki.mayJoin(text)).toBe(true);
    expect(pki.mayJoin(token.secret)).toBe(true);
    expect(pki.mayJoin(formatJoinToken({ ...token, secret: 'x'.repeat(43) }))).toBe(false);
    expect(pki.mayJoin(formatJoinToken({ ...token, caPin: '0'.repeat(64) }))).toBe(false);
    expect(pki.mayJoin(`${text.trim()}.`)).toBe(false);
    expect(pki.mayJoin('')).toBe(false);
  });

  test('what is not one is refused without being repeated', () => {
    expect(() => parseJoinToken('hunter2')).toThrow(/not of the form/);
    expect(() => parseJoinToken('hunter2')).not.toThrow(/hunter2/);
  });
});

test('a server on every address is called by the address of each interface', () => {
  expect(servingNames('0.0.0.0')).toContain('127.0.0.1');
  expect(servingNames('10.1.2.3')).toContain('10.1.2.3');
  expect(localUrl('0.0.0.0', 7443)).toBe('https://127.0.0.1:7443');
  expect(localUrl('::', 7443)).toBe('https://[::1]:7443');
});

/** Whether a client that trusts only the authority accepts the server under that name. */
async function handshake(pki: Pki, servername: string): Promise<boolean> {
  const server = createServer(pki.tls.current(), (socket: TLSSocket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as { port: number };
    return await new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', servername, ca: pki.authority }, () => {
        resolve(socket.authorized);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
