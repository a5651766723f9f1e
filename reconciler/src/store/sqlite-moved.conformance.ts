/** What people and their tools do to the store's files while a server has them open. */
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlumbError } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure, put } from './conformance.ts';
import { SqliteStore } from './sqlite.ts';
import { STORE_FILE } from './sqlite-file.ts';

describe('the files of a store that is open', () => {
  let parent: string;
  let dir: string;
  let file: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'plumb-moved-'));
    dir = join(parent, 'store');
    file = join(dir, STORE_FILE);
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  test.each([
    ['moved', () => renameSync(file, `${file}.old`)],
    ['removed', () => rmSync(file)],
    [
      'replaced by a backup',
      () => {
        copyFileSync(file, `${file}.new`);
        renameSync(`${file}.new`, file);
      },
    ],
    ['without their log', () => rmSync(`${file}-wal`)],
    ['moved with their folder', () => renameSync(dir, `${dir}.old`)],
  ])('when %s, take nothing any more that nobody would find again', async (_how, touch) => {
    const broken: PlumbError[] = [];
    const store = SqliteStore.open(dir, { onBroken: (error) => broken.push(error) });
    await store.commit({ preconditions: [], ops: [put('/a', '1')] });
    touch();
    const error = await failure(store.commit({ preconditions: [], ops: [put('/b', '2')] }));
    expect([error.reason, error.message]).toEqual(['StoreUnavailable', expect.stringContaining(file)]);
    expect(error.message).toContain('Stop the server before');
    expect(broken.map(({ reason }) => reason)).toEqual(['StoreUnavailable']);
    expect((await failure(store.get('/a'))).reason).toBe('StoreUnavailable');
    await store.close();
  });

  test('that are damaged behind a whole beginning are said to be, with their folder and what to do', async () => {
    const store = SqliteStore.open(dir);
    for (let n = 0; n < 50; n++) await store.commit({ preconditions: [], ops: [put(`/${n}`, 'x'.repeat(2_000))] });
    await store.close();
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(statSync(file).size - 4096, 0xa5), 0, undefined, 4096);
    closeSync(fd);
    const error = await failure(Promise.resolve().then(() => SqliteStore.open(dir)));
    expect([error.reason, error.retry]).toEqual(['DataFolderDamaged', 'terminal']);
    expect(error.message).toContain(dir);
    // Nobody holds it then.
    expect((await failure(Promise.resolve().then(() => SqliteStore.open(dir)))).reason).toBe('DataFolderDamaged');
  });

  test('that cannot be written, as on a disk that is mounted read-only, are said to be, with what to look at', async () => {
    await SqliteStore.open(dir).close();
    mkdirSync(`${file}-wal`);
    const error = await failure(Promise.resolve().then(() => SqliteStore.open(dir)));
    expect([error.reason, error.retry]).toEqual(['StoreUnavailable', 'retry']);
    expect(error.message).toContain(dir);
    expect(error.message).toContain('mounted read-only');
  });
});
