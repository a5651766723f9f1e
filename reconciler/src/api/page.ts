/** Reading the objects that a list, or the beginning of a watch, is about. */
import { decodeObject } from '../store/object-codec.ts';
import type { Entry } from '../store/store.ts';
import { badRequest, expired } from './failure.ts';
import { parseRevision, tooNew } from './presentation.ts';
import { keyOf, prefixOf, type Resource } from './resource.ts';
import type { Selection } from './selection.ts';

export interface Page {
  entries: Entry[];
  /** The revision that was read. */
  revision: number;
  /** Token for the next page; absent on the last. */
  continue?: string;
}

/** Entries read from the store at a time when a selector decides how many are needed. */
const CHUNK = 500;

interface Position {
  revision: number;
  after: string;
}

/**
 * The page that the query asks for: `limit` and `continue`, `resourceVersion` and `resourceVersionMatch` as in
 * Kubernetes. Throws PlumbError `Expired` when its revision is no longer kept.
 */
export async function readPage(
  resource: Resource,
  namespace: string | undefined,
  selection: Selection,
  query: URLSearchParams,
): Promise<Page> {
  const limit = parseLimit(query.get('limit'));
  const token = query.get('continue');
  if (token) {
    if (query.get('resourceVersion')) throw badRequest('continue and resourceVersion exclude each other');
    return read(resource, namespace, selection, parseToken(token, prefixOf(resource, namespace)), limit);
  }
  return read(resource, namespace, selection, { revision: wantedRevision(resource, query), after: '' }, limit);
}

/** Everything that is selected, as of now. */
export function readAll(resource: Resource, namespace: string | undefined, selection: Selection): Promise<Page> {
  return read(resource, namespace, selection, { revision: 0, after: '' }, 0);
}

/** Revision 0 is the newest; limit 0 is none. */
async function read(
  resource: Resource,
  namespace: string | undefined,
  selection: Selection,
  from: Position,
  limit: number,
): Promise<Page> {
  const exact = exactKey(resource, namespace, selection);
  const prefix = exact ?? prefixOf(resource, namespace);
  const suffix = selection.name === undefined ? undefined : `/${selection.name}`;
  const selected = (entry: Entry) =>
    (suffix === undefined || (exact === undefined ? entry.key.endsWith(suffix) : entry.key === exact)) &&
    (selection.matches?.(decodeObject(entry)) ?? true);

  let { revision, after } = from;
  const entries: Entry[] = [];
  for (;;) {
    const part = await resource.store.list(prefix, {
      ...(revision > 0 ? { revision } : {}),
      ...(after ? { after } : {}),
      ...(limit > 0 ? { limit: Math.max(limit - entries.length, selection.matches || suffix ? CHUNK : 0) } : {}),
    });
    revision = part.revision;
    for (const [index, entry] of part.entries.entries()) {
      if (!selected(entry)) continue;
      entries.push(entry);
      const more = part.more || index < part.entries.length - 1;
      if (limit > 0 && entries.length === limit && more) {
        return { entries, revision, continue: formatToken({ revision, after: entry.key }) };
      }
    }
    if (!part.more || part.entries.length === 0) return { entries, revision };
    after = part.entries.at(-1)!.key;
  }
}

/** The key of the only object that can be selected, if there is only one. */
export function exactKey(resource: Resource, namespace: string | undefined, selection: Selection): string | undefined {
  if (selection.name === undefined) return undefined;
  if (resource.scope === 'Namespaced' && namespace === undefined) return undefined;
  return keyOf(resource, namespace, selection.name);
}

function parseLimit(text: string | null): number {
  if (!text) return 0;
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`limit ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

function wantedRevision(resource: Resource, query: URLSearchParams): number {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  if (text === '') {
    if (match !== '') throw badRequest('resourceVersionMatch needs a resourceVersion');
    return 0;
  }
  const wanted = parseRevision(text);
  const newest = resource.store.revision();
  if (match === 'Exact') {
    if (wanted === 0) throw badRequest('resourceVersionMatch Exact needs a resourceVersion other than 0');
    if (wanted > newest) throw tooNew(wanted, newest);
    return wanted;
  }
  if (match !== '' && match !== 'NotOlderThan') {
    throw badRequest(`resourceVersionMatch must be one of Exact, NotOlderThan, but is ${JSON.stringify(match)}`);
  }
  if (wanted > newest) throw tooNew(wanted, newest);
  return 0;
}

function formatToken(position: Position): string {
  return Buffer.from(JSON.stringify([position.revision, position.after])).toString('base64url');
}

function parseToken(token: string, prefix: string): Position {
  try {
    const [revision, after] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as unknown[];
    if (typeof revision === 'number' && revision > 0 && typeof after === 'string' && after.startsWith(prefix)) {
      return { revision, after };
    }
  } catch {
    // Reported below, like a token of another list.
  }
  throw expired('the continue token is not one of this list');
}
