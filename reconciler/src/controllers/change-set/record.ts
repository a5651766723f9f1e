/** The durable record of a running change set: how to get back, written in the same commit as the change. */
import { PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import { shapeErrors } from '@plumb/schemas/project/shape.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';

export interface ChangeSetRecord {
  direction: 'forward' | 'back';
  /** When the objects must be Ready, milliseconds since the epoch. */
  deadlineAt: number;
  members: Member[];
  /** Why it goes back. */
  failure?: { reason: string; message: string };
}

export interface Member {
  /** Key of the object in the store. */
  key: string;
  uid: string;
  /** The generation that the change set wrote, forward or back; an object at another one was edited by someone else. */
  generation: number;
  /** What the object was; absent: it was not there. */
  previous?: Pick<PlumbObject, 'spec'> & {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    /** Whether it was Ready. What was not cannot be waited for: it may never be. */
    ready?: boolean;
  };
}

export interface KeptRecord {
  record: ChangeSetRecord;
  revision: number;
}

/** Throws terminal `RecordUnreadable`. */
export async function readRecord(context: Context, uid: string): Promise<KeptRecord | undefined> {
  const entry = await context.store.get(keys.changeSet(uid));
  return entry && { record: decodeRecord(entry.value), revision: entry.revision };
}

/** Throws terminal `RecordUnreadable`. */
export function decodeRecord(value: string): ChangeSetRecord {
  let record: unknown;
  try {
    record = JSON.parse(value);
  } catch {
    throw unreadable(`it is not JSON (${value.length} characters)`);
  }
  const [error] = shapeErrors(recordSchema, record, 'record', 1);
  if (error) throw unreadable(`${error.field} ${error.message}`);
  return record as ChangeSetRecord;
}

/** Why it is no record; undefined when it is. */
export function whyNotRead(value: string): string | undefined {
  try {
    decodeRecord(value);
    return undefined;
  } catch (error) {
    return PlumbError.from(error, 'the record').message;
  }
}

function unreadable(why: string): PlumbError {
  return terminal(
    'RecordUnreadable',
    `the record of how this change set gets back cannot be read: ${why}. Nothing is put back; delete the change set, and look at its objects`,
  );
}

const text = { type: 'string' };
const textMap = { type: 'object', additionalProperties: text };
const recordSchema = {
  type: 'object',
  required: ['direction', 'deadlineAt', 'members'],
  properties: {
    direction: { enum: ['forward', 'back'] },
    deadlineAt: { type: 'number' },
    members: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'uid', 'generation'],
        properties: {
          key: text,
          uid: text,
          generation: { type: 'integer' },
          previous: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: { type: 'object' },
              labels: textMap,
              annotations: textMap,
              ready: { type: 'boolean' },
            },
          },
        },
      },
    },
    failure: { type: 'object', required: ['reason', 'message'], properties: { reason: text, message: text } },
  },
};
