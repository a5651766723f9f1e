/** The durable record of a running change set: how to get back, written in the same commit as the change. */
import type { PlumbObject } from '@plumb/schemas';
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

export async function readRecord(context: Context, uid: string): Promise<KeptRecord | undefined> {
  const entry = await context.store.get(keys.changeSet(uid));
  return entry && { record: JSON.parse(entry.value) as ChangeSetRecord, revision: entry.revision };
}
