/** Where two answers differ, down to the single value. */
import type { Transcript } from './case.ts';

export interface Difference {
  /** `class/case`. */
  where: string;
  /** Of the answer, counted from 1. */
  step: number;
  request: string;
  /** `status`, `headers.retry-after`, `body.metadata.generation`, `events.2.type`. */
  path: string;
  theirs: unknown;
  ours: unknown;
}

export function compare(where: string, theirs: readonly Transcript[], ours: readonly Transcript[]): Difference[] {
  const differences: Difference[] = [];
  for (let index = 0; index < Math.max(theirs.length, ours.length); index++) {
    const their = theirs[index];
    const our = ours[index];
    const step = index + 1;
    const request = (their ?? our)!.request;
    const add = (path: string, a: unknown, b: unknown) =>
      differences.push({ where, step, request, path, theirs: a, ours: b });
    if (!their || !our) add('answer', their?.status, our?.status);
    else {
      if (their.request !== our.request) add('request', their.request, our.request);
      // What an answer of another kind holds follows from that.
      if (their.status !== our.status) add('status', outcome(their), outcome(our));
      else for (const part of ['headers', 'body', 'events'] as const) walk(part, their[part], our[part], add);
    }
  }
  return differences;
}

/** `422 Invalid`, `200`. */
function outcome({ status, body }: Transcript): string {
  const { reason } = (typeof body === 'object' && body !== null ? body : {}) as { reason?: string };
  return status >= 400 && reason !== undefined ? `${status} ${reason}` : `${status}`;
}

function walk(path: string, a: unknown, b: unknown, add: (path: string, a: unknown, b: unknown) => void): void {
  if (Object.is(a, b)) return;
  if (isObject(a) && isObject(b) && Array.isArray(a) === Array.isArray(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      walk(`${path}.${key}`, (a as never)[key], (b as never)[key], add);
  } else add(path, a, b);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
