/** The end of a change set that is deleted and cannot be understood, or whose record cannot. */
import { PlumbError } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { applyBack } from './apply.ts';
import { readRecord } from './record.ts';

/**
 * Puts back what the change set with this uid has done, as far as its record can be read, and forgets the record. Nobody waits
 * until the objects have returned to what they were.
 */
export async function endRecord(context: Context, uid: string): Promise<void> {
  try {
    const kept = await readRecord(context, uid);
    const failure = { reason: 'Deleted', message: 'the change set was deleted before it was done' };
    if (kept?.record.direction === 'forward') await applyBack(context, uid, kept, failure);
  } catch (error) {
    if (!(error instanceof PlumbError) || error.reason !== 'RecordUnreadable') throw error;
  }
  const key = keys.changeSet(uid);
  const entry = await context.store.get(key);
  if (!entry) return;
  await context.store.commit({
    preconditions: [{ key, revision: entry.revision }],
    ops: [{ type: 'delete', key }],
  });
}
