import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execPlugin, PluginCredential } from './exec-plugin.ts';

const V1 = 'client.authentication.k8s.io/v1';
const SECRET = 'hush-hush-hush';

let folder: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-exec-'));
  now = 1_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers with what the script prints. */
function program(script: string): string {
  const path = join(folder, 'plugin');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const clock = () => ({ now: () => now, after: (ms: number, run: () => void) => later(ms, run) });
function later(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms / 100);
  return () => clearTimeout(timer);
}
const ask = (fields: object, env: Record<string, string> = {}, cluster?: Record<string, unknown>) =>
  new PluginCredential(execPlugin({ apiVersion: V1, ...fields }, folder, cluster), {
    env,
    cwd: folder,
    clock: clock(),
  });
const answer = (status: object) => `echo '${JSON.stringify({ apiVersion: V1, kind: 'ExecCredential', status })}'`;

test('a token comes from the program, with the environment of who asks, and nothing of this process', async () => {
  program(`printf '{"status":{"token":"%s"}}' "$MINE-$THEIRS-$PLUMB_OF_THE_PROCESS"`);
  process.env.PLUMB_OF_THE_PROCESS = 'leak';
  try {
    const fields = { command: './plugin', env: [{ name: 'THEIRS', value: 'b' }] };
    expect((await ask(fields, { MINE: 'a', PATH: process.env.PATH! }).get()).token).toBe('a-b-');
  } finally {
    delete process.env.PLUMB_OF_THE_PROCESS;
  }
});

test('the program is found in the PATH of who asks, and told what it is asked for', async () => {
  program(`printf '{"status":{"token":"t"}}'; printf %s "$KUBERNETES_EXEC_INFO" > info`);
  const fields = { command: 'plugin', provideClusterInfo: true };
  await ask(fields, { PATH: `${folder}:/usr/bin:/bin` }, { server: 'https://a' }).get();
  expect(JSON.parse(readFileSync(join(folder, 'info'), 'utf8'))).toEqual({
    apiVersion: V1,
    kind: 'ExecCredential',
    spec: { interactive: false, cluster: { server: 'https://a' } },
  });
  await expect(ask({ ...fields, installHint: 'get it' }, { PATH: '/nowhere' }).get()).rejects.toThrow(
    /is not there: get it/,
  );
});

test('it is asked once for many, and again when its time is over or it was refused', async () => {
  program(`echo x >> asked\n${answer({ token: 't', expirationTimestamp: new Date(1_060_000).toISOString() })}`);
  const asked = () => (existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').length / 2 : 0);
  const credential = ask({ command: './plugin' });
  await Promise.all([credential.get(), credential.get(), credential.get()]);
  expect(asked()).toBe(1);
  now += 45_000;
  const known = await credential.get();
  expect(asked()).toBe(1);
  now += 10_000;
  const renewed = await credential.get();
  expect(asked()).toBe(2);
  credential.refused(known);
  now -= 20_000;
  await credential.get();
  expect(asked()).toBe(2);
  credential.refused(renewed);
  await credential.get();
  expect(asked()).toBe(3);
});

test('a certificate is as good', async () => {
  program(answer({ clientCertificateData: 'C', clientKeyData: 'K' }));
  expect(await ask({ command: './plugin' }).get()).toMatchObject({ certificate: { cert: 'C', key: 'K' } });
});

describe('what gives none', () => {
  test.each([
    ['ends with a failure', 'echo please log in >&2; exit 3', /code 3 and said: please log in$/],
    ['prints no JSON', `echo ${SECRET}`, /not JSON/],
    ['prints something else', `echo '{"status":{"other":"${SECRET}"}}'`, /no ExecCredential/],
    ['never ends', 'sleep 100 & sleep 100', /did not end within 60 s/],
    ['prints without end', 'yes', /ended with code null|not JSON/],
  ])('%s', async (_, script, message) => {
    program(script);
    const error = await ask({ command: './plugin' }, { PATH: process.env.PATH! })
      .get()
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: 'NoCredential', retry: 'terminal', message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(SECRET);
  });

  test.each([
    [{ command: '' }, /no command/],
    [{ command: 'x', apiVersion: 'v9' }, /apiVersion/],
    [{ command: 'x', args: [1] }, /exec.args/],
    [{ command: 'x', env: [{ name: 'a' }] }, /exec.env/],
    [{ command: 'x', interactiveMode: 'Always' }, /ask a person/],
  ])('%j', (fields, message) => expect(() => ask(fields)).toThrow(message));
});
