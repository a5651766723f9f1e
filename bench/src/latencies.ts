import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Milliseconds of single operations, over all repetitions. */
export interface Latencies {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

/**
 * Counts single operations in an HdrHistogram (Node has the C implementation built in): three significant digits at any
 * scale, in constant memory. Recorded in whole microseconds.
 */
export function newHistogram(): RecordableHistogram {
  return createHistogram({ figures: 3 });
}

/** `ms`: how long one operation took. */
export function recordMs(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1000)));
}

export function latenciesOf(histogram: RecordableHistogram): Latencies {
  const at = (percentile: number) => histogram.percentile(percentile) / 1000;
  return {
    count: histogram.count,
    ...{ p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: histogram.max / 1000 },
  };
}
