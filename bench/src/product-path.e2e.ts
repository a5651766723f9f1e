/** What is measured is the product, as anybody starts it: nothing is left out to be fast. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keys } from '@plumb/reconciler/store/keys.ts';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import type { Change, WatchBatch } from '@plumb/reconciler/store/store.ts';
import type { Instance } from '@plumb/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sample } from './case.ts';
import { createAndDelete } from './cases/burst.ts';
import { HttpsClient } from './http/client.ts';
import { ROOT } from './machine.ts';
import { INSTANCES, instance, type Plumb, startPlumb } from './processes/plumb.ts';

const BURST = 20;
let folder: string;
let plumb: Plumb;
let single: Sample;
let history: WatchBatch[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-product-path-'));
  plumb = await startPlumb({ folder, hosts: 5, connections: 10 });
  single = await createAndDelete(plumb, 1, 'single');
  await createAndDelete(plumb, BURST, 'many');
});

afterAll(async () => {
  await plumb?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the server is started as anybody starts it', () => {
  const { child, dataDir, access } = plumb.server;
  const command = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const listen = new URL(access.url).host;
  const args = ['server', '--data-dir', dataDir, '--listen', listen];
  expect(command).toEqual([process.execPath, join(ROOT, 'bin', 'plumb.ts'), ...args]);
  const names = readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0').slice(0, -1);
  const added = names.map((line) => line.split('=')[0]!).filter((name) => !(name in process.env));
  expect(added).toEqual([]);
});

test('who has no token, or a wrong one, is turned away', async () => {
  for (const token of ['', 'wrong']) {
    const stranger = new HttpsClient({ ...plumb.server.access, token }, 1);
    expect((await stranger.ask('POST', INSTANCES, instance('stranger'))).status).toBe(401);
    stranger.close();
  }
});

test('what is invalid is refused, with every reason', async () => {
  const wrong = JSON.parse(instance('wrong')) as { spec: Record<string, unknown> };
  wrong.spec = { ...wrong.spec, power: 'Sometimes', zone: 7 };
  const { status, text } = await plumb.client.ask('POST', INSTANCES, JSON.stringify(wrong));
  expect(status).toBe(422);
  for (const field of ['spec.power', 'spec.zone']) expect(text).toContain(field);
});

test('one create waits for the disk three times: object, plan with allocations, end', () => {
  expect(single.figures.transactionsPerCreate).toBeGreaterThanOrEqual(3);
  expect(single.figures.recordsPerCreate).toBeGreaterThanOrEqual(6);
  expect(single.figures.messagesToAgentsPerCreate).toBeGreaterThanOrEqual(1);
});

test('every instance of a burst was planned, held and carried out durably, and given back when it was deleted', async () => {
  await plumb.close();
  history = await readHistory(join(plumb.server.dataDir, 'store'));
  for (let i = 0; i < BURST; i++) {
    const key = keys.object('instances', 'default', `many-${i}`);
    const [created] = history.filter(({ changes }) => changes.some((c) => c.key === key));
    const uid = objectOf(changeOf(created!, key)).metadata.uid;
    const flow = keys.flow(uid);
    const planned = history.find(({ changes }) => changes.some((c) => c.key === flow && c.value !== undefined))!;
    const ended = history.find(({ changes }) => changes.some((c) => c.key === flow && c.value === undefined))!;
    expect(created!.revision).toBeLessThan(planned.revision);
    expect(planned.revision).toBeLessThan(ended.revision);

    // The plan is one commit with all that it holds, before anything is done.
    const holds = (prefix: string) => planned.changes.some((c) => c.key.startsWith(prefix) && c.value === uid);
    expect([holds('/alloc/address/'), holds('/alloc/mac/')]).toEqual([true, true]);
    expect(planned.changes.some((c) => c.key.startsWith('/alloc/host/'))).toBe(true);

    // The end says what runs where, as for everybody.
    const { status, metadata } = objectOf(changeOf(ended, key));
    expect(status?.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'True' });
    expect(status?.observedGeneration).toBe(metadata.generation);
    expect(status?.interfaces?.[0]?.addresses).toHaveLength(1);
    expect(status?.rootDisk).toBeDefined();

    // A deletion record says that what lives under the uid may be removed; then everything is given back.
    expect(history.some(({ changes }) => changes.some((c) => c.key === keys.deleted(uid)))).toBe(true);
    const last = new Map(history.flatMap(({ changes }) => changes.map((c) => [c.key, c.value])));
    expect([...last].filter(([, value]) => value === uid)).toEqual([]);
    expect(last.get(key)).toBeUndefined();
  }
});

/** All commits since the store was made. */
async function readHistory(dir: string): Promise<WatchBatch[]> {
  const store = SqliteStore.open(dir);
  const end = new AbortController();
  const batches: WatchBatch[] = [];
  try {
    for await (const batch of store.watch('/', 0, end.signal)) {
      batches.push(batch);
      if (batch.revision === store.revision()) break;
    }
    return batches;
  } finally {
    end.abort();
    await store.close();
  }
}

function changeOf({ changes }: WatchBatch, key: string): Change {
  return changes.find((change) => change.key === key)!;
}

function objectOf({ value }: Change): Instance {
  return JSON.parse(value!) as Instance;
}
