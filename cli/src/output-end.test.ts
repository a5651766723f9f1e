/** `plumb` whose reader goes away: real processes and real pipes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ApiRig, startApiRig, V1 } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PLUMB = join(import.meta.dirname, '..', '..', 'bin', 'plumb.ts');

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
  for (const name of ['one', 'two']) {
    await api.ask('POST', `${V1}/zones`, {
      body: { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name }, spec: {} },
    });
  }
});
afterAll(() => api.stop());

const zones = (count: number, prefix: string) =>
  Array.from(
    { length: count },
    (_, i) => `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: ${prefix}-${i}}\n`,
  ).join('spec: {}\n---\n');

type Ended = { code: number | null; signal: string | null; err: string };

/** Runs `plumb`; `unread` is closed by its reader before a word was written. */
async function run(args: string[], unread: 'stdout' | 'stderr', input?: string): Promise<Ended> {
  const child = spawn(process.execPath, [PLUMB, ...args], {
    env: { ...process.env, KUBECONFIG: api.pki.kubeconfigFile },
  });
  child[unread]!.destroy();
  child.stdin!.end(input);
  return ended(child, unread === 'stdout' ? child.stderr! : child.stdout!);
}

async function ended(child: ChildProcess, heard: Readable): Promise<Ended> {
  let err = '';
  heard.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, err };
}

test('Ctrl-C ends a process that waits with 130 and a sentence, a second one at once', async () => {
  const wait = async (...signals: NodeJS.Signals[]) => {
    const child = spawn(process.execPath, [PLUMB, 'wait', 'zone/one', '--for', 'condition=Never'], {
      env: { ...process.env, KUBECONFIG: api.pki.kubeconfigFile },
    });
    const asked = once(child.stderr!, 'data');
    const end = ended(child, child.stderr!);
    await asked;
    for (const signal of signals) child.kill(signal);
    return end;
  };
  expect(await wait('SIGINT')).toMatchObject({ code: 130, err: expect.stringContaining('interrupted: 0 of 1') });
}, 30_000);

describe('a command whose reader has gone', () => {
  test.each([
    [['get', 'zones']],
    [['get', 'zones', '-o', 'yaml', '-w']],
    [['describe', 'zone', 'one']],
    [['server', '--help']],
  ])('%j ends at once without a word, as SIGPIPE ends it', async (args) => {
    const going = args[0] === 'server' ? 0 : 141;
    expect(await run(args, 'stdout')).toEqual({ code: going, signal: null, err: '' });
  });

  test('of which errors are not read ends without a word, too', async () => {
    expect(await run(['get', 'zone', 'missing'], 'stderr')).toMatchObject({ err: '' });
  });

  test.each(['stdout', 'stderr'] as const)('that writes finishes its work without %s', async (unread) => {
    const input = `${zones(30, unread)}spec: {}\n`;
    const { code, err } = await run(['apply', '-f', '-', '--no-wait'], unread, input);
    if (unread === 'stdout') expect(err).toBe('');
    expect(code).toBe(0);
    const { body } = await api.ask('GET', `${V1}/zones`);
    const made = body.items.filter(({ metadata }: { metadata: { name: string } }) => metadata.name.startsWith(unread));
    expect(made).toHaveLength(30);
  });

  test.skipIf(!existsSync('/dev/full'))('whose disk is full says so', async () => {
    const child = spawn(process.execPath, [PLUMB, 'get', 'zones'], {
      env: { ...process.env, KUBECONFIG: api.pki.kubeconfigFile },
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    });
    expect(await ended(child, child.stderr!)).toMatchObject({ code: 1, err: expect.stringContaining('no space left') });
  });
});
