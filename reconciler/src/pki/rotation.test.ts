/** Replacing what the server and its clients know each other by, while it runs. */

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFile,
  cp,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { runPlumb } from '@plumb/cli/testing/run.ts';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { AGENT_SERVER_NAME, caPin, parseJoinToken } from '@plumb/schemas/wire/join-token.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiRig, startApiRig, V1 } from '../api/testing/rig.ts';
import { credentialExtensions } from '../extensions/credentials.ts';
import { MemoryStore } from '../store/memory.ts';
import { splitPem } from './authority.ts';
import { endorse, issueServing, makeAuthority, renewAuthority } from './certificates.ts';
import type { ServerIdentity } from './identity.ts';
import { permits, permittedBy } from './name-constraints.ts';
import { openPki, type Pki } from './open.ts';

const DAY = 86_400_000;

describe('names that an authority may vouch for', () => {
  test('are those of its server and private addresses', async () => {
    const names = ['localhost', 'plumb.example', '192.0.2.7', '2001:db8::7'];
    const permitted = permittedBy((await makeAuthority(Date.now(), 1, names)).certificate)!;
    for (const name of [...names, 'a.plumb.example', '10.1.2.3', '172.31.0.1', '127.0.0.1', '::1', 'fd00::1'])
      expect([name, permits(permitted, name)]).toEqual([name, true]);
    for (const name of [
      'example',
      'xplumb.example',
      'google.com',
      '192.0.2.8',
      '172.32.0.1',
      '8.8.8.8',
      '2001:db8::8',
      '::2',
    ])
      expect([name, permits(permitted, name)]).toEqual([name, false]);
    expect(permittedBy((await makeAuthority(Date.now(), 1)).certificate)).toBeUndefined();
  });

  test('are all that clients believe it', async () => {
    const authority = await makeAuthority(Date.now(), 1, ['localhost']);
    expect(
      await greets(await issueServing(authority, ['localhost', '127.0.0.1'], Date.now(), 1), authority.certificate),
    ).toBe(true);
    const other = await issueServing(authority, ['localhost', 'google.com'], Date.now(), 1);
    await expect(greets(other, authority.certificate)).rejects.toThrow(/permitted subtree/);
  });

  test('are kept when it gets another certificate for the same key, with which old copies go on', async () => {
    const old = await makeAuthority(Date.now(), 1, ['localhost']);
    const renewed = await renewAuthority(old, Date.now(), 100, ['localhost']);
    expect(caPin(renewed.certificate)).toBe(caPin(old.certificate));
    expect(new X509Certificate(renewed.certificate).validToDate.getTime()).toBeGreaterThan(Date.now() + 99 * DAY);
    const serving = await issueServing(renewed, ['localhost'], Date.now(), 1);
    for (const trusted of [old, renewed]) expect(await greets(serving, trusted.certificate)).toBe(true);
  });
});

describe('an authority', () => {
  let dataDir: string;
  const open: Pki[] = [];
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'plumb-rotation-'));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((pki) => pki.close()));
    await rm(dataDir, { recursive: true });
  });

  async function start(now = Date.now(), more: { names?: string[] } = {}): Promise<Pki & { lines: string[] }> {
    const lines: string[] = [];
    const ambient = { ...realAmbient(), clock: { now: () => now, after: () => () => {} } };
    const log = (line: string) => lines.push(line);
    const pki = await openPki({ ...{ dataDir, ambient, host: '127.0.0.1', log }, store: new MemoryStore(), ...more });
    await pki.writeKubeconfig('https://127.0.0.1:1');
    open.push(pki);
    return Object.assign(pki, { lines });
  }
  const pins = (pki: Pki) => splitPem(pki.tls.current().cert).map((certificate) => caPin(certificate));
  const kubeconfigAuthority = async (pki: Pki) => {
    const access = await findAccess(pki.kubeconfigFile, {});
    return access.ca;
  };

  test('that was made while the clock was wrong is valid when it is right, with the same key', async () => {
    const now = Date.now();
    for (const wrong of [now + 3 * 365 * DAY, Date.parse('1990-01-01')]) {
      await rm(join(dataDir, 'pki'), { recursive: true, force: true });
      const before = await start(wrong);
      const after = await start(now);
      expect(caPin(after.authority)).toBe(caPin(before.authority));
      const { validFromDate, validToDate } = new X509Certificate(after.authority);
      expect([validFromDate.getTime() < now, validToDate.getTime() > now + 9 * 365 * DAY]).toEqual([true, true]);
      expect(after.lines.join()).toMatch(/the certificate of the authority (was not valid yet|is near its end)/);
      expect(await kubeconfigAuthority(after)).toBe(after.authority);
      expect((await start(now)).authority).toBe(after.authority);
    }
  });

  test('that was not made for a name that is asked for gets it; one that is only found here is left out, and it is said', async () => {
    const first = await start();
    expect(permits(permittedBy(first.authority)!, 'plumb.example')).toBe(false);
    const named = await start(Date.now(), { names: ['plumb.example'] });
    expect(permits(permittedBy(named.authority)!, 'plumb.example')).toBe(true);
    expect(named.lines.join()).toContain('was not made for plumb.example');
  });

  test('is followed by another: side by side, then alone; every file says so, and a restart at any time goes on', async () => {
    const now = Date.now();
    const pki = await start(now);
    const [leaf, old] = pins(pki);
    await pki.replaceAuthority(now + DAY);
    const { pin, next } = pki.authorityView();
    expect([pin, next!.takesOverAt]).toEqual([old, new Date(now + DAY).toISOString()]);
    expect(await kubeconfigAuthority(pki)).toBe(pki.authority);
    expect(pki.authority.match(/BEGIN/g)).toHaveLength(2);
    // Still signed by the old one.
    expect(pins(pki)).toEqual([leaf, old]);

    expect((await start(now + DAY / 2)).authorityView()).toEqual({ pin, next });
    const later = await start(now + 2 * DAY);
    expect(later.authorityView()).toEqual({ pin: next!.pin });
    expect(await kubeconfigAuthority(later)).toBe(later.authority);
    expect(parseJoinToken(await readFile(later.joinTokenFile!, 'utf8')).caPin).toBe(next!.pin);
    expect((await readdir(join(dataDir, 'pki'))).sort()).toEqual([
      'accounts.key',
      'ca.crt',
      'ca.key',
      'endorsements.crt',
      'serving.crt',
      'serving.key',
    ]);
    // Its own certificate, the endorsement of the new key by the old one, the old one, the new one.
    expect(pins(later).slice(1)).toEqual([next!.pin, old, next!.pin]);
    expect((await start(now + 3 * DAY)).tls.current()).toEqual(later.tls.current());
  });

  test('loses nothing when the server dies at any moment of it', async () => {
    const now = Date.now();
    await (await start(now)).replaceAuthority(now + DAY);
    const [live, killed, done] = ['pki', 'killed', 'done'].map((name) => join(dataDir, name));
    await cp(live!, killed!, { recursive: true });
    const { pin } = (await start(now + DAY)).authorityView();
    await cp(live!, done!, { recursive: true });
    const moments: [string, () => Promise<void>][] = [
      ['before it began', async () => {}],
      ['after the endorsement', () => copyFile(join(done!, 'endorsements.crt'), join(killed!, 'endorsements.crt'))],
      ['after the key', () => rename(join(killed!, 'next.key'), join(killed!, 'ca.key'))],
      ['after the certificate', () => rename(join(killed!, 'next.crt'), join(killed!, 'ca.crt'))],
    ];
    for (const [what, happens] of moments) {
      await happens();
      await rm(live!, { recursive: true });
      await cp(killed!, live!, { recursive: true });
      const after = await start(now + DAY);
      expect([what, after.authorityView(), pins(after)[1]]).toEqual([what, { pin }, pin]);
    }
  });

  test('is looked at once for all who ask while a look is under way', async () => {
    const pki = await start();
    const identity = pki.tls as ServerIdentity;
    const looks = Array.from({ length: 1000 }, () => identity.refresh());
    expect(new Set(looks).size).toBe(1);
    await looks[0];
    expect(identity.refresh()).not.toBe(looks[0]);
    await identity.settled();
  });

  test('with another name than its key is refused rather than used', async () => {
    await start();
    await writeFile(join(dataDir, 'pki', 'ca.key'), (await makeAuthority(Date.now(), 1)).key);
    await expect(start()).rejects.toMatchObject({ reason: 'AuthorityUnusable' });
  });
});

describe('while the server runs', () => {
  let api: ApiRig;
  beforeEach(async () => {
    api = await startApiRig({
      extensions: {
        *[Symbol.iterator]() {
          yield* credentialExtensions(api.pki, () => api.clock.now(), defaultServerLimits);
        },
      },
    });
  });
  afterEach(() => api.stop());

  test('plumb admin-token rotate: the old token is void at once, its watches end, both kubeconfigs hold the new one', async () => {
    const copy = join(await mkdtemp(join(tmpdir(), 'plumb-copy-')), 'config');
    await writeFile(copy, `# mine\n${await readFile(api.pki.kubeconfigFile, 'utf8')}`);
    const watch = api.watch(`${V1}/zones?watch=true`);
    expect(await watch.status).toBe(200);
    const link = `${copy}-link`;
    await symlink(copy, link);
    const ran = await runPlumb(api, ['admin-token', 'rotate', '--kubeconfig', link]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain(`${link} holds the new one`);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect((await api.ask('GET', `${V1}/zones`)).status).toBe(401);
    while (await watch.next()) {}
    const tokens = await Promise.all([api.pki.kubeconfigFile, copy].map((file) => findAccess(file, {})));
    expect(tokens[0]!.token).toBe(tokens[1]!.token);
    expect(tokens[0]!.token).not.toBe(api.token);
    expect(ran.out + ran.err).not.toContain(tokens[0]!.token);
    expect(await readFile(copy, 'utf8')).toContain('# mine');
    expect((await stat(copy)).mode & 0o777).toBe(0o600);
    expect((await api.ask('GET', `${V1}/zones`, { token: tokens[0]!.token! })).status).toBe(200);
    // Only who has it may have another.
    expect((await api.ask('POST', `${V1}/admintoken/rotate`, { token: 'x', body: {} })).status).toBe(401);
    await rm(join(copy, '..'), { recursive: true });
  });

  test('plumb authority rotate: new connections are answered by the new one, clients with an old kubeconfig go on', async () => {
    const copy = join(await mkdtemp(join(tmpdir(), 'plumb-copy-')), 'config');
    await copyFile(api.pki.kubeconfigFile, copy);
    const old = api.pki.authority;
    const begun = await runPlumb(api, ['authority', 'rotate', '--overlap', '2h']);
    expect(begun.out).toMatch(/^authority [0-9a-f]{64}\nfollowed by [0-9a-f]{64} at 20.*\n/);
    const both = api.pki.authority;
    expect((await shownBy('localhost')).issuer).toBe(new X509Certificate(old).subject);
    const done = await runPlumb(api, ['authority', 'rotate', '--overlap', '0s']);
    expect(done).toMatchObject({ code: 0, err: '' });
    expect(done.out).not.toContain('followed');
    const now = api.pki.authority;
    for (const name of ['localhost', AGENT_SERVER_NAME])
      expect((await shownBy(name)).issuer).toBe(new X509Certificate(now).subject);
    for (const authority of [old, both, now]) expect(await asks(authority)).toBe(200);
    expect(await asks((await makeAuthority(Date.now(), 1)).certificate)).toMatch(/certificate/);
    // The copy knows the old one only, and asks as the plumb command does.
    expect((await runPlumb(api, ['get', 'zones', '--kubeconfig', copy])).code).toBe(0);
    expect((await runPlumb(api, ['authority', 'show'])).out).toBe(`authority ${caPin(now)}\n`);
    expect((await runPlumb(api, ['authority', 'rotate', '--overlap', '999d'])).err).toContain('overlapSeconds');
    await rm(join(copy, '..'), { recursive: true });
  });

  async function asks(authority: string): Promise<number | string> {
    const client = clientFor({ endpoints: [api.url], ca: authority, token: api.token }, realAmbient());
    try {
      return (await client.ask('GET', `${V1}/zones`)).status;
    } catch (error) {
      return (error as Error).message;
    } finally {
      client.close();
    }
  }

  async function shownBy(servername: string): Promise<X509Certificate> {
    const socket = connect({
      host: '127.0.0.1',
      port: api.port,
      servername,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
    });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerX509Certificate()!;
    socket.destroy();
    return certificate;
  }
});

test('openssl follows an endorsement, too', async () => {
  const [old, next] = [
    await makeAuthority(Date.now(), 9, ['localhost']),
    await makeAuthority(Date.now(), 9, ['localhost']),
  ];
  const folder = await mkdtemp(join(tmpdir(), 'plumb-openssl-'));
  const put = (name: string, text: string) => writeFile(join(folder, name), text);
  await put('old', old.certificate);
  await put('between', await endorse(old, next.certificate, Date.now()));
  await put('leaf', (await issueServing(next, ['localhost'], Date.now(), 1)).certificate);
  const verify = [
    'verify',
    '-CAfile',
    join(folder, 'old'),
    '-untrusted',
    join(folder, 'between'),
    join(folder, 'leaf'),
  ];
  try {
    expect(execFileSync('openssl', verify, { encoding: 'utf8' })).toContain('OK');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** Whether a client that trusts the authority accepts the server as localhost. */
async function greets({ certificate, key }: { certificate: string; key: string }, ca: string): Promise<boolean> {
  const server = http2.createSecureServer({ cert: certificate, key });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: ['h2'] });
  try {
    await once(socket, 'secureConnect');
    return socket.authorized;
  } finally {
    socket.destroy();
    server.close();
  }
}
