import type { SqliteStats } from '../store/sqlite-group.ts';
import type { Metrics } from './metrics.ts';

/** A store that counts what it does. */
export interface CountingStore {
  stats(): SqliteStats;
  revision(): number;
}

/** Shows the store in `metrics`. */
export function publishStore(metrics: Metrics, store: CountingStore): void {
  const count = (name: string, help: string, value: (stats: SqliteStats) => number) =>
    metrics.readCounter(name, help, {}, () => value(store.stats()));
  metrics.readGauge('plumb_store_revision', 'Revision of the last commit.', {}, () => store.revision());
  count('plumb_store_batches_total', 'Batches committed.', (s) => s.batches);
  count('plumb_store_records_total', 'Keys written or deleted.', (s) => s.records);
  count('plumb_store_bytes_total', 'Bytes of keys and values written.', (s) => s.bytes);
  count('plumb_store_transactions_total', 'Waits for the disk: batches share them.', (s) => s.transactions);
  count('plumb_store_seconds_total', 'Time in transactions, waiting for the disk included.', (s) => s.seconds);
  count('plumb_store_conflicts_total', 'Batches whose preconditions failed.', (s) => s.conflicts);
  count('plumb_store_failures_total', 'Batches that could not be made durable.', (s) => s.failures);
}
