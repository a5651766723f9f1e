/** An object that ended two processes is set aside by the third, which serves everything else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import type { Client } from '@plumb/client/client.ts';
import { realAmbient } from '@plumb/schemas';
import { expect, type TestContext, test } from 'vitest';
import { keys } from './store/keys.ts';
import { SqliteStore } from './store/sqlite.ts';

const CHILD = join(import.meta.dirname, 'deadly-child.ts');
const ZONES = '/apis/plumb.dev/v1/zones';

type Its = Pick<TestContext, 'onTestFinished'>;

function start({ onTestFinished }: Its, dataDir: string, fault: string) {
  const child = spawn(process.execPath, ['--max-old-space-size=96', CHILD, dataDir, fault], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const { promise: serves, resolve } = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => resolve(line.split(' ')[2]!));
  return { child, ended, serves };
}

async function clientOf({ onTestFinished }: Its, kubeconfig: string): Promise<Client> {
  const client = clientFor(await findAccess(kubeconfig, {}), realAmbient());
  onTestFinished(() => client.close());
  return client;
}

async function settled(client: Client, name: string, test: (object: { status?: Status }) => boolean): Promise<void> {
  const path = `${ZONES}?watch=1&fieldSelector=metadata.name%3D${name}`;
  for await (const { object } of client.watch(path, AbortSignal.timeout(30_000))) if (test(object)) return;
}

interface Status {
  conditions?: { type: string; status: string; message: string }[];
}
const says = (type: string, status: string) => (object: { status?: Status }) =>
  object.status?.conditions?.some((c) => c.type === type && c.status === status) ?? false;

test.concurrent.for(['throws', 'eats all memory'])(
  'an object on which the server %s',
  { timeout: 60_000 },
  async (fault, its) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'plumb-deadly-'));
    its.onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const store = SqliteStore.open(join(dataDir, 'store'));
    const ops = ['deadly', 'good', 'other'].map((name) => {
      const metadata = { name, uid: crypto.randomUUID(), generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
      const finalizers = ['plumb.dev/zone'];
      const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { ...metadata, finalizers }, spec: {} };
      return { type: 'put' as const, key: keys.object('zones', undefined, name), value: JSON.stringify(zone) };
    });
    await store.commit({ preconditions: [], ops });
    await store.close();

    for (let life = 1; life <= 2; life++) expect(await start(its, dataDir, fault).ended, `life ${life}`).not.toBe(0);

    const third = start(its, dataDir, fault);
    const client = await clientOf(its, await third.serves);
    await settled(client, 'good', says('Ready', 'True'));
    await settled(client, 'other', says('Ready', 'True'));
    const deadly = await client.send('GET', `${ZONES}/deadly`);
    expect(deadly.status.conditions).toMatchObject([
      { type: 'Ready', reason: 'Poisoned' },
      { type: 'Poisoned', status: 'True', message: expect.stringContaining('when the server ended twice in a row') },
      { type: 'Stalled', status: 'True', reason: 'Poisoned' },
    ]);
    const { items } = await client.send('GET', '/apis/plumb.dev/v1/poisoned');
    expect(items).toMatchObject([{ object: { kind: 'Zone', name: 'deadly' } }]);

    // It stays so for the next one, whatever ended this one, and it can be deleted.
    third.child.kill('SIGKILL');
    await third.ended;
    const fourth = start(its, dataDir, fault);
    const again = await clientOf(its, await fourth.serves);
    expect((await again.ask('DELETE', `${ZONES}/deadly`)).status).toBe(200);
    while ((await again.ask('GET', `${ZONES}/deadly`)).status !== 404);
    fourth.child.kill('SIGTERM');
    expect(await fourth.ended).toBe(0);
  },
);

test.concurrent('one that changes is tried again', { timeout: 60_000 }, async (its) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plumb-deadly-'));
  its.onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = start(its, dataDir, 'throws');
  const client = await clientOf(its, await first.serves);
  const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'deadly' }, spec: {} };
  await client.ask('POST', ZONES, { body: zone }).catch(() => {});
  await first.ended;
  await start(its, dataDir, 'throws').ended;
  const third = start(its, dataDir, 'no more');
  const other = await clientOf(its, await third.serves);
  const { metadata } = await other.send('GET', `${ZONES}/deadly`);
  await other.send('PUT', `${ZONES}/deadly`, { body: { ...zone, metadata, spec: { description: 'changed' } } });
  await settled(other, 'deadly', says('Ready', 'True'));
  expect((await other.send('GET', '/apis/plumb.dev/v1/poisoned')).items).toEqual([]);
});
