/** What Terraform sends: a state, or what it says of a lock. */
import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { terminal } from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { factsOf, type StateFacts } from '../../states/content.ts';
import type { WantedLock } from '../../states/states.ts';
import { parseJson, refuseDuplicates } from '../body/json.ts';
import { shapeOf } from '../body/shape.ts';
import { badRequest } from '../failure.ts';
import type { ApiRequest } from '../request.ts';

/** The state in the body. Throws PlumbError `BadRequest`, `RequestEntityTooLarge` or `UnsupportedMediaType`. */
export async function sentState(request: ApiRequest): Promise<{ content: Buffer; facts: StateFacts }> {
  const { headers, limits } = request;
  const coding = headers['content-encoding'] ?? 'identity';
  // What is small and becomes large is taken from nobody.
  if (coding !== 'identity')
    throw terminal('UnsupportedMediaType', `a state that is ${coding.slice(0, 80)} is not taken: send it as it is`);
  const content = await request.bytes();
  if (content.length === 0) throw badRequest('the body is empty: a state is never nothing');
  const declared = headers['content-md5'];
  if (declared !== undefined && declared !== md5Of(content))
    throw badRequest('the body is not what its Content-MD5 says: a part of it was lost on the way');
  if (!isUtf8(content)) throw badRequest('the body is no state of Terraform: it is not UTF-8');
  if (shapeOf(content, limits.stateDepth).tooDeep)
    throw badRequest(`the body has more than ${limits.stateDepth} objects and lists in each other`);
  return { content, facts: factsOf(content.toString('utf8')) };
}

/** RFC 1864. */
export function md5Of(bytes: Buffer): string {
  return hash('md5', bytes, 'base64');
}

/** The ID of a lock that the query names; empty: none. */
export function lockIdOf({ query }: ApiRequest): string {
  const ids = [...new Set(query.getAll('ID'))];
  if (ids.length > 1) throw badRequest('the query names two IDs of locks');
  return ids[0] ?? '';
}

const MOST_ID = 128;
const MOST_WORD = 256;
/** Objects in each other in what is said of a lock: it is flat. */
const LOCK_DEPTH = 4;

/** What Terraform says of the lock that it wants. Throws PlumbError `BadRequest`. */
export async function sentLock(request: ApiRequest): Promise<WantedLock> {
  const said = await lockInfo(request);
  if (said === undefined) throw badRequest('the body is empty: it is to say who locks (ID, Operation, Who)');
  const id = idOf(said);
  if (id === undefined) throw badRequest('the ID of the lock is no text of 1 to 128 characters');
  const word = (name: string) => (typeof said[name] === 'string' ? printable(said[name], MOST_WORD) : '');
  const [operation, info, who, version, path] = ['Operation', 'Info', 'Who', 'Version', 'Path'].map(word) as [
    ...[string, string, string, string, string],
  ];
  return { id, operation, info, who, version, path };
}

/** The ID of the lock that is given back; undefined when nothing is said, as terraform force-unlock does. */
export async function givenBack(request: ApiRequest): Promise<string | undefined> {
  const said = await lockInfo(request);
  if (said === undefined || said.ID === undefined || said.ID === '') return undefined;
  const id = idOf(said);
  if (id === undefined) throw badRequest('the ID of the lock is no text of 1 to 128 characters');
  return id;
}

function idOf({ ID }: Record<string, unknown>): string | undefined {
  const isId = typeof ID === 'string' && ID !== '' && ID.length <= MOST_ID && printable(ID, MOST_ID) === ID;
  return isId ? ID : undefined;
}

async function lockInfo(request: ApiRequest): Promise<Record<string, unknown> | undefined> {
  const bytes = await request.bytes();
  if (bytes.length === 0) return undefined;
  const { value, duplicates } = parseJson(bytes, LOCK_DEPTH);
  refuseDuplicates(duplicates);
  const said: unknown = value;
  if (typeof said !== 'object' || said === null || Array.isArray(said)) throw badRequest('the body is no JSON object');
  return said as Record<string, unknown>;
}
