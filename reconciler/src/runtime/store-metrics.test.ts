import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SqliteStore } from '../store/sqlite.ts';
import { Metrics } from './metrics.ts';
import { publishStore } from './store-metrics.ts';

test('metrics show what the store wrote', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-metrics-'));
  const store = SqliteStore.open(dir);
  try {
    const metrics = new Metrics();
    publishStore(metrics, store);
    // One transaction: both arrive in the same turn. The second fails.
    const put = { type: 'put' as const, key: '/a', value: 'äb' };
    const batch = { preconditions: [{ key: '/a', revision: 0 }], ops: [put] };
    await Promise.allSettled([store.commit(batch), store.commit(batch)]);
    const text = (await metrics.text()).split('\n');
    expect(text).toEqual(
      expect.arrayContaining([
        'plumb_store_revision 1',
        'plumb_store_batches_total 1',
        'plumb_store_records_total 1',
        'plumb_store_bytes_total 5',
        'plumb_store_transactions_total 1',
        'plumb_store_conflicts_total 1',
        'plumb_store_failures_total 0',
      ]),
    );
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
});
