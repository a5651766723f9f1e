/**
 * Objects that may have ended the process. Pure: what follows from how the process before ended, and what it was working on.
 *
 * After an end by a fault of its own a process is careful: what was under work then comes last and alone, one object after the
 * other. If that ends the process once more, it is plain which it was: it has ended two processes, and the third one sets it
 * aside until it changes, or until another version of Plumb runs.
 */

/** What one process leaves to the next. */
export interface Suspicion {
  /** Keys that were under work when the process ended; undefined while nobody is suspected, 'all' when it was not noted. */
  keys?: string[] | 'all';
  /** Keys that ended processes, and the version of Plumb that they ended. */
  guilty: { key: string; version: string }[];
}

/** How the process before ended. */
export interface LastEnd {
  /** Whether it ended in the middle of work, by its own fault: not by a signal, nor with the machine. */
  isFatal: boolean;
  /** What it was working on; undefined when it could not note that. */
  keys?: string[];
  /** What it was working on alone, because it was suspected. */
  alone?: string;
}

/** Of more keys than this none is more suspicious than what is not among them. */
const MOST_KEYS = 10_000;

export const NO_SUSPICION: Suspicion = { guilty: [] };

/** What is suspected now, in a process of this version. */
export function suspected(before: Suspicion, { isFatal, keys, alone }: LastEnd, version: string): Suspicion {
  const guilty = before.guilty.filter((one) => one.version === version);
  if (!isFatal) return { guilty };
  if (alone !== undefined) return { guilty: [...guilty.filter(({ key }) => key !== alone), { key: alone, version }] };
  return { keys: keys === undefined || keys.length > MOST_KEYS ? 'all' : keys, guilty };
}

/** The suspicion as it was written; none, when that cannot be read. */
export function parseSuspicion(text: string): Suspicion {
  try {
    const { guilty } = JSON.parse(text) as { guilty?: unknown };
    const isOne = (one: unknown): one is Suspicion['guilty'][number] => {
      const { key, version } = (one ?? {}) as Record<string, unknown>;
      return typeof key === 'string' && typeof version === 'string';
    };
    return { guilty: (Array.isArray(guilty) ? guilty : []).filter(isOne) };
  } catch {
    return NO_SUSPICION;
  }
}
