import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlumbError } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure, put } from './conformance.ts';
import { SqliteStore } from './sqlite.ts';
import { openStoreFile, type StoreFile } from './sqlite-file.ts';
import { ThreadLink } from './sqlite-link.ts';
import type { WriterAnswer } from './sqlite-messages.ts';

describe('the thread that writes', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-thread-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('is told to the store when it ends by itself, which then refuses everything', async () => {
    const file = openStoreFile(dir);
    const broken: PlumbError[] = [];
    // A thread that cannot open what it is to write to.
    const lost: StoreFile = { ...file, path: dir };
    const store = new SqliteStore(lost, { onBroken: (error) => broken.push(error) });
    for (const attempt of [() => store.commit({ preconditions: [], ops: [put('/a', '1')] }), () => store.get('/a')]) {
      const error = await failure(attempt());
      expect([error.reason, error.retry]).toEqual(['StoreUnavailable', 'retry']);
      expect(error.message).toContain('started again');
    }
    expect(broken).toHaveLength(1);
    await store.close();
    await SqliteStore.open(dir).close();
  });

  test('takes all that waits into one transaction, and answers each request in order', async () => {
    const file = openStoreFile(dir);
    const answers: WriterAnswer[] = [];
    let link: ThreadLink | undefined;
    const all = new Promise<void>((resolve) => {
      link = new ThreadLink(file.path, (answer) => {
        answers.push(answer);
        if (answer.what === 'compacted') resolve();
      });
    });
    const cells = (n: number) => [1, `/k${n}`, 0, 1, `/k${n}`, 'value'];
    // The thread is not up yet: all of this waits for it.
    for (let n = 0; n < 3; n++) link!.post({ what: 'write', cells: cells(n), records: 1, chars: 8 });
    link!.post({ what: 'write', cells: cells(0), records: 1, chars: 8 });
    link!.post({ what: 'compact', revision: 2 });
    await all;
    expect(answers).toEqual([
      { what: 'applied', writes: 4, outcomes: [1, 0, 2, 0, 3, 0, -1, 0] },
      { what: 'durable', waits: 1, seconds: expect.any(Number), records: 3, bytes: 24 },
      { what: 'compacted', oldest: 2 },
    ]);
    file.reading.close();
    await link!.close();
    file.release();
  });

  test('shows readers what it made before it is durable, and they are answered when it is', async () => {
    const store = SqliteStore.open(dir);
    const seen: string[] = [];
    const committed = store.commit({ preconditions: [], ops: [put('/a', '1')] }, async (revision) => {
      seen.push(`applied ${revision}, durable ${store.revision()}`);
      const entry = await store.get('/a');
      seen.push(`read ${entry?.revision}, durable ${store.revision()}`);
    });
    await committed;
    await store.get('/a');
    expect(seen).toEqual(['applied 1, durable 0', 'read 1, durable 1']);
    await store.close();
  });

  test('folds its log into the file when it is closed', async () => {
    const store = SqliteStore.open(dir);
    await store.commit({ preconditions: [], ops: [put('/a', '1')] });
    await store.close();
    expect(readdirSync(dir).toSorted()).toEqual(['store.db', 'store.lock']);
  });
});
