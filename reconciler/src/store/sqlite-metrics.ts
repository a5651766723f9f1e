import type { SqliteStats } from './sqlite-group.ts';

/** Where the store shows its numbers; runtime/metrics.ts is one. */
export interface MetricsSink {
  readCounter(name: string, help: string, labels: Record<string, string>, value: () => number): void;
  readGauge(name: string, help: string, labels: Record<string, string>, value: () => number): void;
}

/** Lets `metrics` read what a store counts. */
export function publishStats(metrics: MetricsSink, stats: SqliteStats, revision: () => number): void {
  const count = (name: string, help: string, value: () => number) => metrics.readCounter(name, help, {}, value);
  metrics.readGauge('plumb_store_revision', 'Revision of the last commit.', {}, revision);
  count('plumb_store_batches_total', 'Batches committed.', () => stats.batches);
  count('plumb_store_records_total', 'Keys written or deleted.', () => stats.records);
  count('plumb_store_bytes_total', 'Bytes of keys and values written, as they stand in the file.', () => stats.bytes);
  count('plumb_store_transactions_total', 'Waits for the disk: batches share them.', () => stats.transactions);
  count('plumb_store_seconds_total', 'Time in transactions and waiting until they were durable.', () => stats.seconds);
  count('plumb_store_conflicts_total', 'Batches whose preconditions failed.', () => stats.conflicts);
  count('plumb_store_failures_total', 'Batches that could not be made durable.', () => stats.failures);
}
