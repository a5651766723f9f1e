/**
 * The head of a state: its lock, and which versions there are. What is in a version lies beside it in parts; it counts from the commit
 * on that names it here. A head stays when its state is deleted: of a name that ever existed nobody is told that there is nothing.
 */
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { parsedRecord } from '../store/parsed.ts';

export interface StateHead {
  format: 1;
  /** Uid of the object whose state it is; absent when that was deleted. */
  uid?: string;
  /** The newest first. */
  versions: StateVersion[];
  lock?: StateLock;
  /** Term at which the store was last put back, as far as a person has said that the state is good; 0: it never was. */
  acknowledged: number;
  /** Parts that may be there and belong to no version: the process ended while they were written or removed. */
  remains?: Parts[];
  /** Of a deleted state. */
  deleted?: { at: number; serial: number; by?: string };
}

/** Where the content of a version lies. */
export interface Parts {
  id: string;
  parts: number;
}

export interface StateVersion extends Parts {
  serial: number;
  lineage: string;
  /** Size of the content, and of what is stored of it. */
  bytes: number;
  stored: number;
  /** SHA-256 of the content in hex. */
  sha256: string;
  codec: 'zstd' | 'none';
  resources: number;
  terraformVersion: string;
  /** Milliseconds since the epoch. */
  at: number;
  by: string;
}

export interface StateLock {
  /** What Terraform said, cut to bounds. */
  id: string;
  operation: string;
  info: string;
  who: string;
  version: string;
  path: string;
  /** User of this server, and where the request came from. */
  user: string;
  address: string;
  at: number;
}

const text: SchemaNode = { type: 'string' };
const count: SchemaNode = { type: 'integer', minimum: 0 };
const record = (properties: Record<string, SchemaNode>, ...optional: string[]): SchemaNode => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

const PARTS = { id: text, parts: count };
const VERSION = record({
  ...PARTS,
  ...{ serial: count, lineage: text, bytes: count, stored: count, sha256: text, codec: text, resources: count },
  ...{ terraformVersion: text, at: count, by: text },
});
const LOCK = record({
  ...{ id: text, operation: text, info: text, who: text, version: text, path: text, user: text, address: text },
  at: count,
});
const HEAD = record(
  {
    ...{ format: { type: 'integer', minimum: 1, maximum: 1 }, uid: text, versions: { type: 'array', items: VERSION } },
    ...{ lock: LOCK, acknowledged: count, remains: { type: 'array', items: record(PARTS) } },
    deleted: record({ at: count, serial: count, by: text }, 'by'),
  },
  ...['uid', 'lock', 'remains', 'deleted'],
);

/** Undefined when it cannot be read: encrypted with a key that is not there, damaged, or of a later format. */
export function readStateHead(value: string): StateHead | undefined {
  return parsedRecord<StateHead>(HEAD, value);
}

/** Why the record is no head; undefined when it is one. */
export function whyNoStateHead(value: string): string | undefined {
  return readStateHead(value)
    ? undefined
    : 'is no head of a state of Terraform: the state answers 503 until it can be read';
}
