/**
 * The durable record of a commit that is being written in several parts: what every object was, before the first part is written.
 * Parts hold the objects; the head comes last, and from then on the record counts.
 */
import { createHash } from 'node:crypto';
import { type PlumbObject, terminal } from '@plumb/schemas';
import { shapeErrors } from '@plumb/schemas/project/shape.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject } from '../../store/object-codec.ts';
import type { Op } from '../../store/store.ts';
import type { Context } from '../controller.ts';

export interface CommitHead {
  /** `written`: all of it is there, and it waits until the objects are Ready. */
  phase: 'writing' | 'written' | 'back';
  revision: string;
  parts: number;
  /** When the objects must be Ready, milliseconds since the epoch; only of an atomic one. */
  deadlineAt?: number;
  failure?: { reason: string; message: string };
}

export interface CommitMember {
  key: string;
  uid: string;
  /** Digest of what was written. */
  written: string;
  /** The object as it was stored; absent: there was none. */
  before?: string;
}

export interface KeptCommit {
  head: CommitHead;
  revision: number;
}

const HEAD = 'head';

/** Throws terminal `RecordUnreadable`. */
export async function readHead(context: Context, uid: string): Promise<KeptCommit | undefined> {
  const entry = await context.store.get(keys.gitCommit(uid, HEAD));
  return entry && { head: parsed<CommitHead>(entry.value, headSchema), revision: entry.revision };
}

export async function readMembers(context: Context, uid: string, { parts }: CommitHead): Promise<CommitMember[]> {
  const members: CommitMember[] = [];
  for (let part = 0; part < parts; part++) {
    const entry = await context.store.get(keys.gitCommit(uid, String(part)));
    if (!entry) throw unreadable(`part ${part} of ${parts} is missing`);
    members.push(...parsed<{ members: CommitMember[] }>(entry.value, partSchema).members);
  }
  return members;
}

const MOST_PART_CHARACTERS = 200_000;

/** Writes what the members were; the record does not count before its head is written. Returns the number of parts. */
export async function writeParts(context: Context, uid: string, members: readonly CommitMember[]): Promise<number> {
  await removeParts(context, uid);
  const chunks: CommitMember[][] = [];
  let room = 0;
  for (const member of members) {
    const size = (member.before?.length ?? 0) + 400;
    if (size > room) {
      chunks.push([]);
      room = MOST_PART_CHARACTERS;
    }
    chunks.at(-1)!.push(member);
    room -= size;
  }
  for (const [index, chunk] of chunks.entries()) {
    const key = keys.gitCommit(uid, String(index));
    const value = JSON.stringify({ members: chunk });
    await context.store.commit({ preconditions: [], ops: [{ type: 'put', key, value }] });
  }
  return chunks.length;
}

export function headOp(uid: string, head: CommitHead): Op {
  return { type: 'put', key: keys.gitCommit(uid, HEAD), value: JSON.stringify(head) };
}

export function headKey(uid: string): string {
  return keys.gitCommit(uid, HEAD);
}

/** Forgets parts without a head: of a record that never counted, or does not any more. */
export async function removeParts(context: Context, uid: string): Promise<void> {
  const { entries } = await context.store.list(keys.gitCommit(uid, ''));
  const left = entries.filter(({ key }) => key !== headKey(uid));
  for (let at = 0; at < left.length; at += 100)
    await context.store.commit({
      preconditions: [],
      ops: left.slice(at, at + 100).map(({ key }) => ({ type: 'delete', key })),
    });
}

/** Of what a declaration says, not of what becomes of it: status, generation and who owns what are left out. */
export function digestOf(object: PlumbObject): string {
  const { labels, annotations, ownerReferences } = object.metadata;
  const { metadata: _, status: __, ...body } = object;
  return createHash('sha256')
    .update(JSON.stringify(sorted({ ...body, labels, annotations, ownerReferences })))
    .digest('base64url')
    .slice(0, 24);
}

export function textOf(object: PlumbObject): string {
  return encodeObject(object);
}

/** Why it is no record; undefined when it is. */
export function whyNotRead(value: string): string | undefined {
  try {
    const record = JSON.parse(value) as object;
    const [error] = shapeErrors('members' in record ? partSchema : headSchema, record, 'record', 1);
    return error && `${error.field} ${error.message}`;
  } catch {
    return `it is not JSON (${value.length} characters)`;
  }
}

function parsed<T>(value: string, schema: object): T {
  let record: unknown;
  try {
    record = JSON.parse(value);
  } catch {
    throw unreadable('it is not JSON');
  }
  const [error] = shapeErrors(schema as never, record, 'record', 1);
  if (error) throw unreadable(`${error.field} ${error.message}`);
  return record as T;
}

function unreadable(why: string) {
  return terminal(
    'RecordUnreadable',
    `the record of how this commit gets back cannot be read: ${why}. Nothing is put back; look at its objects, and make the GitSource anew`,
  );
}

/** With the keys of objects in one order, whoever wrote them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

const text = { type: 'string' };
const partSchema = {
  type: 'object',
  required: ['members'],
  properties: {
    members: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'uid', 'written'],
        properties: { key: text, uid: text, written: text, before: text },
      },
    },
  },
};
const headSchema = {
  type: 'object',
  required: ['phase', 'revision', 'parts'],
  properties: {
    phase: { enum: ['writing', 'written', 'back'] },
    revision: text,
    parts: { type: 'integer' },
    deadlineAt: { type: 'number' },
    failure: { type: 'object', required: ['reason', 'message'], properties: { reason: text, message: text } },
  },
};
