/** How much history a store keeps by itself. What is older may be compacted away at any time. */
export interface Retention {
  /** Never more revisions than this. */
  maxRevisions: number;
  /** Nothing older than this, in milliseconds… */
  maxAgeMs: number;
  /** …but always this many revisions, whatever their age. */
  minRevisions: number;
}

export const DEFAULT_RETENTION: Retention = { maxRevisions: 100_000, maxAgeMs: 600_000, minRevisions: 1_000 };

/** `revision` was the newest at `time` (milliseconds since the epoch). */
export interface Mark {
  time: number;
  revision: number;
}

/** What {@link compactTo} decides on. */
export interface History {
  newest: number;
  /** The oldest revision that can still be read. */
  oldest: number;
  now: number;
  /** In the order of time. */
  marks: readonly Mark[];
}

/** Compaction runs when at least this many revisions can go, so that it costs little per commit. */
const STEP = 1_000;

/** The revision to compact to, or undefined while there is too little to gain. */
export function compactTo(retention: Retention, history: History): number | undefined {
  const byCount = history.newest - retention.maxRevisions;
  const old = history.marks.findLast((mark) => mark.time <= history.now - retention.maxAgeMs);
  const byAge = Math.min(old?.revision ?? 0, history.newest - retention.minRevisions);
  const target = Math.max(byCount, byAge);
  return target - history.oldest >= Math.min(STEP, retention.maxRevisions) ? target : undefined;
}

/** The marks with `mark` added: one per tenth of the age limit, and only one that is older than it. */
export function addMark(retention: Retention, marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const last = marks.at(-1);
  if (last && mark.time - last.time < retention.maxAgeMs / 10) return marks;
  const firstYoung = marks.findIndex((m) => m.time > mark.time - retention.maxAgeMs);
  const kept = firstYoung === -1 ? marks.slice(-1) : marks.slice(Math.max(0, firstYoung - 1));
  return [...kept, mark];
}
