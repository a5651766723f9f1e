/** Scans all instances from time to time, and when a person asks; gives the controller what it had missed. */
import { retryable } from '@plumb/schemas';
import { findCondition } from '../../runtime/conditions.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Context } from '../controller.ts';
import type { Verdict } from '../placed/verdict.ts';
import { DriftScan, type ScanFound } from './scan.ts';

export type ScanWay = 'content' | 'digests';

export interface Scanned extends ScanFound {
  way: ScanWay;
  /** Keys of the instances that differ and say that they are Ready: nobody had told. They were given to the controller. */
  missed: string[];
  /** Milliseconds from begin to end, in which other work had its turns. */
  tookMs: number;
  /** Milliseconds of work. */
  workMs: number;
}

/** By digests it costs next to nothing; by content, a few seconds for a hundred thousand instances. */
export const DIGESTS_EVERY_MS = 60_000;
export const CONTENT_EVERY = 60;

export class ScanWatch {
  readonly #context: Context;
  readonly #scan: DriftScan;
  #last: Partial<Record<ScanWay, Scanned>> = {};
  readonly #counts: Record<ScanWay, number> = { content: 0, digests: 0 };
  #running: Promise<unknown> = Promise.resolve();
  #stopTimer: () => void = () => {};
  #stopped = false;

  constructor(context: Context) {
    this.#context = context;
    this.#scan = new DriftScan(context);
    this.#await(1);
  }

  /** Scans now, or after the scan that is under way. */
  scan(way: ScanWay): Promise<Scanned> {
    const scanned = this.#running.then(() => this.#run(way));
    this.#running = scanned.catch(() => {});
    return scanned;
  }

  /** Starts nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
  }

  publish(metrics: Metrics): void {
    const ways = ['content', 'digests'] as const;
    const verdicts = ['same', 'differs', 'unknown', 'underWay'] as const satisfies Verdict[];
    for (const way of ways) {
      const labels = { way };
      const last = (value: (of: Scanned) => number) => () => value(this.#last[way] ?? NONE);
      metrics.readCounter('plumb_drift_scans_total', 'Scans of all instances.', labels, () => this.#counts[way]);
      metrics.readGauge(
        'plumb_drift_scan_work_seconds',
        'Work of the last scan.',
        labels,
        last((s) => s.workMs / 1000),
      );
      metrics.readGauge(
        'plumb_drift_scan_seconds',
        'Time of the last scan.',
        labels,
        last((s) => s.tookMs / 1000),
      );
      const compared = 'Instances that the last scan compared by content.';
      metrics.readGauge(
        'plumb_drift_scan_compared',
        compared,
        labels,
        last((s) => s.compared),
      );
      for (const verdict of verdicts) {
        const help = 'Instances by what the last scan found.';
        metrics.readGauge(
          'plumb_drift_scan_instances',
          help,
          { way, verdict },
          last((s) => s.counts[verdict]),
        );
      }
    }
  }

  #await(turn: number): void {
    this.#stopTimer = this.#context.ambient.clock.after(DIGESTS_EVERY_MS, () => {
      const next = () => this.#stopped || this.#await(turn + 1);
      this.scan(turn % CONTENT_EVERY === 0 ? 'content' : 'digests').then(next, next);
    });
  }

  async #run(way: ScanWay): Promise<Scanned> {
    const began = performance.now();
    let rested = 0;
    const breathe = async () => {
      const from = performance.now();
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#stopped) throw retryable('Stopping', 'the server is stopping');
      rested += performance.now() - from;
    };
    const found = await (way === 'content' ? this.#scan.byContent(breathe) : this.#scan.byDigests(breathe));
    const tookMs = performance.now() - began;
    const missed = found.differing.filter((key) => this.#saysReady(key));
    for (const key of missed) this.#context.enqueue(key);
    const scanned = { ...found, way, missed, tookMs, workMs: tookMs - rested };
    this.#last[way] = scanned;
    this.#counts[way]++;
    return scanned;
  }

  #saysReady(key: string): boolean {
    const object = this.#context.read.get(key)?.object;
    return object !== undefined && findCondition(object, 'Ready')?.status === 'True';
  }
}

const NONE: Scanned = {
  counts: { same: 0, differs: 0, unknown: 0, underWay: 0 },
  ...{ compared: 0, differing: [], missed: [], tookMs: 0, workMs: 0 },
  way: 'digests',
};
