/** What admission shows at `/metrics`. */
import { type Metrics, SECONDS_BUCKETS } from '../../runtime/metrics.ts';
import type { LevelName } from './demand.ts';
import type { Level, LevelCounts } from './level.ts';

export interface PublishedAdmission {
  level(name: LevelName, level: Level): void;
  /** Told of waits in milliseconds. */
  waited(name: LevelName): (ms: number) => void;
  watches(open: () => number, rejected: () => number): void;
}

const REJECTED = 'plumb_api_rejected_total';
const REJECTED_HELP = 'Requests that were answered with 429, by level and why.';
const IN_FLIGHT = 'plumb_api_inflight';
const IN_FLIGHT_HELP = 'Requests at work, by level. Watches count as long as they are open.';

export function publishAdmission(metrics: Metrics): PublishedAdmission {
  const waits = metrics.histogram(
    'plumb_api_wait_seconds',
    'How long requests waited for their turn, those which had to.',
    SECONDS_BUCKETS,
    ['level'],
  );
  return {
    waited: (name) => {
      const labels = { level: name };
      return (ms) => waits.observe(labels, ms / 1000);
    },
    level(name, level) {
      metrics.readGauge(IN_FLIGHT, IN_FLIGHT_HELP, { level: name }, () => level.inFlight);
      metrics.readGauge('plumb_api_queued', 'Requests that wait for their turn.', { level: name }, () => level.queued);
      for (const why of ['full', 'late'] satisfies (keyof LevelCounts)[])
        metrics.readCounter(REJECTED, REJECTED_HELP, { level: name, why }, () => level.rejected[why]);
    },
    watches(open, rejected) {
      metrics.readGauge(IN_FLIGHT, IN_FLIGHT_HELP, { level: 'watches' }, open);
      metrics.readCounter(REJECTED, REJECTED_HELP, { level: 'watches', why: 'full' }, rejected);
    },
  };
}
