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
  return compareInOrder(where, theirs.map(inOrder), ours.map(inOrder));
}

/**
 * Mistakes come in the order in which a map of Go was walked, which is none: they are put in one, in the message, too. A name that was
 * generated ends in what was chosen at random.
 */
function inOrder(answer: Transcript): Transcript {
  const [, prefix] = /"generateName":"([^"]+)"/.exec(answer.request) ?? [];
  const text = JSON.stringify(answer.body);
  const escaped = prefix?.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const body = escaped
    ? JSON.parse(text.replaceAll(new RegExp(`${escaped}[a-z0-9]{5}\\b`, 'g'), `${prefix}<random>`))
    : answer.body;
  const { message, details } = (isObject(body) ? body : {}) as { message?: string; details?: { causes?: Cause[] } };
  if (!details?.causes || details.causes.length < 2 || message === undefined) return { ...answer, body };
  const causes = [...details.causes].sort((a, b) => (saidOf(a) < saidOf(b) ? -1 : 1));
  const said = [...new Set(causes.map(saidOf))];
  const list = said.length === 1 ? said[0]! : `[${said.join(', ')}]`;
  const known = message.slice(message.indexOf(' is invalid: ') + ' is invalid: '.length);
  const isList = known.length === list.length && said.every((one) => known.includes(one));
  const ordered = isList ? message.slice(0, message.length - list.length) + list : message;
  return { ...answer, body: { ...body, message: ordered, details: { ...details, causes } } };
}

type Cause = { field?: string; message: string };

function saidOf({ field, message }: Cause): string {
  return `${field}: ${message}`;
}

function compareInOrder(where: string, theirs: readonly Transcript[], ours: readonly Transcript[]): Difference[] {
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
