/** The mark of an object that we make: renewed, changed, taken away (cf. schemas/src/meta/pending.ts). */
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import type { PlumbObject } from '@plumb/schemas/meta/object.ts';
import { PENDING, type Pending, pendingText } from '@plumb/schemas/meta/pending.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import { objectPath, type Reference } from './objects.ts';

const MERGE_PATCH = 'application/merge-patch+json';

/** The object that is meant, by its uid, and its version; without a version any is. */
export interface Meant {
  uid: string;
  resourceVersion?: string;
}

/**
 * Gives the object another mark, or takes it away (undefined). Undefined when that cannot be any more: it is gone, it bears no mark, or it is
 * another version.
 */
export async function remark(
  client: Client,
  ref: Reference,
  { uid, resourceVersion }: Meant,
  mark: Pending | undefined,
  manager: string,
  limit: Deadline,
): Promise<PlumbObject | undefined> {
  const annotations = { [PENDING]: mark ? pendingText(mark) : null };
  const body = { metadata: { uid, ...(resourceVersion ? { resourceVersion } : {}), annotations } };
  const path = `${objectPath(ref)}?${new URLSearchParams({ fieldManager: manager })}`;
  try {
    return (await client.json({ method: 'PATCH', path, body, type: MERGE_PATCH }, limit)) as PlumbObject;
  } catch (error) {
    const { reason } = PlumbError.from(error, path);
    if (['Conflict', 'NotFound', 'Invalid', 'Forbidden'].includes(reason)) return undefined;
    throw error;
  }
}
