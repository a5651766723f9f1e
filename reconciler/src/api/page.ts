/** Reading the objects that a list, or the beginning of a watch, is about. */
import { isKey } from '../store/check.ts';
import { decodeObject } from '../store/object-codec.ts';
import type { Entry } from '../store/store.ts';
import { badRequest, expired, TooNew } from './failure.ts';
import type { ListOptions } from './list-options.ts';
import { parseRevision } from './presentation.ts';
import { readable, type Wrongs } from './readable.ts';
import { keyOf, prefixOf, type Resource } from './resource.ts';
import type { Selection } from './selection.ts';

/** A part of what was asked for: it is read, and sent, piece by piece, and in between others have their turn. */
export interface Part {
  entries: Entry[];
  /** The revision that was read: of all parts the same. */
  revision: number;
  /** Whether this is the last one. */
  last: boolean;
  /** Token for what is beyond the limit; on the last part only. */
  continue?: string;
  /** How many are beyond the limit, where nothing but the place selects. */
  remaining?: number;
}

/** Where objects are read from, and what is known to be wrong with them. */
export interface Source {
  resource: Resource;
  wrongs: Wrongs;
}

/** Entries read from the store at a time. */
const CHUNK = 500;

interface Position {
  revision: number;
  after: string;
  /** How many follow; undefined when that is not known. */
  remaining?: number | undefined;
  /** Whether the client takes what is there, however old: then Kubernetes does not count either. */
  uncounted?: boolean;
}

/**
 * What the options ask for. At least one part. Throws PlumbError `Expired` when its revision is no longer kept.
 */
export function readPage(
  source: Source,
  namespace: string | undefined,
  selection: Selection,
  options: ListOptions,
): AsyncGenerator<Part, undefined> {
  const { limit, continue: token } = options;
  const place = token
    ? parseToken(token, prefixOf(source.resource, namespace))
    : { revision: wantedRevision(source.resource, options), after: '' };
  const from = { ...place, uncounted: options.resourceVersion === '0' };
  return read(source, namespace, selection, from, limit);
}

/** Everything that is selected, as of now. */
export function readAll(
  source: Source,
  namespace: string | undefined,
  selection: Selection,
): AsyncGenerator<Part, undefined> {
  return read(source, namespace, selection, { revision: 0, after: '' }, 0);
}

/** Revision 0 is the newest; limit 0 is none. */
async function* read(
  { resource, wrongs }: Source,
  namespace: string | undefined,
  selection: Selection,
  from: Position,
  limit: number,
): AsyncGenerator<Part, undefined> {
  const exact = exactKey(resource, namespace, selection);
  const prefix = exact ?? prefixOf(resource, namespace);
  const suffix = selection.name === undefined ? undefined : `/${selection.name}`;
  const isNamed = ({ key }: Entry) =>
    suffix === undefined || (exact === undefined ? key.endsWith(suffix) : key === exact);

  let { revision, after } = from;
  let wanted = limit > 0 ? limit : Number.POSITIVE_INFINITY;
  let remaining = from.remaining;
  const counts = limit > 0 && !from.uncounted && !selection.matches && suffix === undefined;
  for (;;) {
    const read = await resource.store.list(prefix, {
      ...(revision > 0 ? { revision } : {}),
      ...(after ? { after } : {}),
      limit: selection.matches || suffix ? CHUNK : Math.min(CHUNK, wanted),
      // Counted once: the token of the next page says how many are left.
      ...(counts && remaining === undefined && wanted <= CHUNK ? { countRest: true } : {}),
    });
    if (read.rest !== undefined) remaining = read.rest;
    else if (remaining !== undefined) remaining -= read.entries.length;
    revision = read.revision;
    const entries: Entry[] = [];
    for (const [index, stored] of read.entries.entries()) {
      if (!isNamed(stored)) continue;
      const entry = readable(wrongs, resource, stored, revision);
      if (selection.matches && !selection.matches(decodeObject(entry))) continue;
      entries.push(entry);
      const more = read.more || index < read.entries.length - 1;
      if (--wanted === 0 && more) {
        const token = formatToken({ revision, after: entry.key, remaining });
        yield { entries, revision, last: true, continue: token, ...(counts && remaining ? { remaining } : {}) };
        return undefined;
      }
    }
    const last = !read.more || read.entries.length === 0;
    yield { entries, revision, last };
    if (last) return undefined;
    after = read.entries.at(-1)!.key;
    // Reading does not wait for anything, and nobody else would have a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The key of the only object that can be selected, if there is only one. */
export function exactKey(resource: Resource, namespace: string | undefined, selection: Selection): string | undefined {
  if (selection.name === undefined) return undefined;
  if (resource.scope === 'Namespaced' && namespace === undefined) return undefined;
  return keyOf(resource, namespace, selection.name);
}

function wantedRevision({ store }: Resource, { resourceVersion, match }: ListOptions): number {
  const wanted = reachedRevision(store, resourceVersion);
  return match === 'Exact' ? wanted : 0;
}

/** A revision that the client has seen; 0 when it names none. Throws PlumbError `BadRequest`, or `Timeout` for one that is yet to come. */
export function reachedRevision(store: Resource['store'], resourceVersion: string | undefined): number {
  if (resourceVersion === undefined) return 0;
  const wanted = parseRevision(resourceVersion);
  const newest = store.revision();
  if (wanted > newest) throw new TooNew(wanted, newest);
  return wanted;
}

function formatToken(position: Position): string {
  const { revision, after, remaining } = position;
  const parts = [revision, after, ...(remaining === undefined ? [] : [remaining])];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function parseToken(token: string, prefix: string): Position {
  const position = readToken(token);
  if (!position) throw badRequest('the continue token is none that was given out');
  if (position.after.startsWith(prefix)) return position;
  throw expired('the continue token is not one of this list');
}

function readToken(token: string): Position | undefined {
  try {
    const [revision, after, remaining, ...more] = JSON.parse(
      Buffer.from(token, 'base64url').toString('utf8'),
    ) as unknown[];
    const isOne =
      Number.isSafeInteger(revision) && (revision as number) > 0 && typeof after === 'string' && isKey(after);
    if (!isOne || more.length > 0) return undefined;
    if (remaining === undefined) return { revision: revision as number, after };
    const counted = Number.isSafeInteger(remaining) && (remaining as number) >= 0;
    return counted ? { revision: revision as number, after, remaining: remaining as number } : undefined;
  } catch {
    return undefined;
  }
}
