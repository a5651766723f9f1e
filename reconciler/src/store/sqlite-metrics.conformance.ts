import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SqliteStore } from './sqlite.ts';

test('metrics show what the store wrote', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-metrics-'));
  const store = SqliteStore.open(dir);
  try {
    const read = new Map<string, () => number>();
    const remember = (name: string, _: string, __: object, value: () => number) => read.set(name, value);
    store.publish({ readCounter: remember, readGauge: remember });
    // One transaction: both arrive in the same turn. The second fails.
    const put = { type: 'put' as const, key: '/a', value: 'äb' };
    const batch = { preconditions: [{ key: '/a', revision: 0 }], ops: [put] };
    await Promise.allSettled([store.commit(batch), store.commit(batch)]);
    const shown = Object.fromEntries([...read].map(([name, value]) => [name, value()]));
    expect(shown).toEqual({
      plumb_store_revision: 1,
      plumb_store_batches_total: 1,
      plumb_store_records_total: 1,
      plumb_store_bytes_total: 5,
      plumb_store_transactions_total: 1,
      plumb_store_seconds_total: expect.any(Number),
      plumb_store_conflicts_total: 1,
      plumb_store_failures_total: 0,
    });
    expect(shown.plumb_store_seconds_total).toBeGreaterThan(0);
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
});
