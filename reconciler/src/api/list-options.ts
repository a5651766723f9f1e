/**
 * What the query of a list or a watch asks for. The words, and which of them exclude each other, are those of Kubernetes
 * (apimachinery, ListOptions and their validation). What cannot be read is refused: the client meant something by it.
 */
import type { FieldError } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import { badRequest } from './failure.ts';
import { invalidOptions } from './options.ts';

export interface ListOptions {
  /** At most this many; 0: all. */
  limit: number;
  /** Token of the page before. */
  continue: string | undefined;
  resourceVersion: string | undefined;
  match: 'Exact' | 'NotOlderThan' | undefined;
}

export interface WatchOptions {
  resourceVersion: string | undefined;
  /** Whether the watch begins with what is there; undefined when that is not said. */
  sendInitialEvents: boolean | undefined;
  allowBookmarks: boolean;
  /** When the watch ends; 0: when the server likes. */
  timeoutSeconds: number;
}

const MATCH = 'resourceVersionMatch';
const MATCHES: readonly string[] = ['Exact', 'NotOlderThan'];
const INITIAL = 'sendInitialEvents';

/** Throws PlumbError `BadRequest` for what cannot be read, `Invalid` (422) for what excludes each other. */
export function listOptions(query: URLSearchParams): ListOptions {
  const { limit, token, resourceVersion, match, errors } = common(query);
  if (match !== undefined) {
    if (resourceVersion === undefined) errors.push(forbidden(MATCH, 'is forbidden unless resourceVersion is provided'));
    if (token !== undefined) errors.push(forbidden(MATCH, 'is forbidden when continue is provided'));
    if (match === 'Exact' && resourceVersion === '0')
      errors.push(forbidden(MATCH, '"exact" is forbidden for resourceVersion "0"'));
  }
  if (match !== undefined && !MATCHES.includes(match)) errors.push(unsupported(match, [...MATCHES, '']));
  if (query.has(INITIAL)) errors.push(forbidden(INITIAL, 'is forbidden for list'));
  if (errors.length > 0) throw invalidOptions('ListOptions', errors);
  if (token !== undefined && resourceVersion !== undefined && resourceVersion !== '0')
    throw badRequest('specifying resource version is not allowed when using continue');
  return { limit: Math.max(0, limit), continue: token, resourceVersion, match: match as ListOptions['match'] };
}

/** Throws PlumbError `BadRequest` for what cannot be read, `Invalid` (422) for what excludes each other. */
export function watchOptions(query: URLSearchParams): WatchOptions {
  const { timeoutSeconds, token, resourceVersion, match, errors } = common(query);
  const sendInitialEvents = flagOf(query, INITIAL);
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    errors.push({ field: MATCH, message: `Forbidden: ${INITIAL} requires setting ${MATCH} to NotOlderThan` });
  if (match !== undefined) {
    if (sendInitialEvents === undefined)
      errors.push(forbidden(MATCH, `is forbidden for watch unless ${INITIAL} is provided`));
  }
  if (token !== undefined) errors.push(forbidden(MATCH, 'is forbidden when continue is provided'));
  if (match !== undefined && match !== 'NotOlderThan') errors.push(unsupported(match, ['NotOlderThan']));
  if (errors.length > 0) throw invalidOptions('ListOptions', errors);
  return {
    resourceVersion,
    sendInitialEvents,
    allowBookmarks: flagOf(query, 'allowWatchBookmarks') ?? false,
    timeoutSeconds: Math.max(0, timeoutSeconds),
  };
}

/** As Kubernetes reads it: whatever is there is true, but `false` and `0`. Undefined when it is not there. */
export function flagOf(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  return text === null ? undefined : !/^(false|0)$/i.test(text);
}

/** A length of time as Go reads it: `1m30s`, `0.5s`, `0`. */
const DURATION = /^[+-]?(0|((\d{1,18}(\.\d{0,18})?|\.\d{1,18})(ns|us|µs|μs|ms|s|m|h)){1,8})$/;

/** How long the client waits: it decides that itself, but what is no time at all is a mistake. Throws PlumbError `BadRequest`. */
export function checkTimeout(query: URLSearchParams): void {
  const timeout = query.get('timeout');
  if (timeout && !DURATION.test(timeout))
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${shown(timeout)}`);
}

function common(query: URLSearchParams) {
  const match = query.get(MATCH) || undefined;
  return {
    limit: wholeOf(query, 'limit'),
    timeoutSeconds: wholeOf(query, 'timeoutSeconds'),
    token: query.get('continue') || undefined,
    resourceVersion: query.get('resourceVersion') || undefined,
    match,
    errors: [] as FieldError[],
  };
}

function unsupported(match: string, supported: readonly string[]): FieldError {
  const words = supported.map((word) => `"${word}"`).join(', ');
  return { field: MATCH, message: `Unsupported value: ${shown(match)}: supported values: ${words}` };
}

function wholeOf(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return 0;
  if (!/^[+-]?\d{1,18}$/.test(text)) throw badRequest(`${name} ${shown(text)} is not a whole number`);
  return Number(text);
}

function forbidden(field: string, why: string): FieldError {
  return { field, message: `Forbidden: ${field} ${why}` };
}
