/** What the provider keeps beside a state, where no configuration sees it. Pure. */

import type { PlumbObject } from '@plumb/schemas';

export interface Private {
  /** The object is marked for deletion, which nothing can undo: it comes back only as a new one. */
  deleting?: true;
  /** The object was not seen to be ready, and the state must say what was planned. */
  unready?: true;
  /** The manager under which the fields were last declared: that of another stack, where this one was named or moved since. */
  manager?: string;
}

/** What is kept in these bytes; nothing where they are none of ours. */
export function privateIn(bytes: Uint8Array | null | undefined): Private {
  if (!bytes?.length) return {};
  try {
    const { deleting, unready, manager } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    return {
      ...(deleting === true ? { deleting } : {}),
      ...(unready === true ? { unready } : {}),
      ...(typeof manager === 'string' ? { manager } : {}),
    };
  } catch {
    return {};
  }
}

export function privateBytes(kept: Private): Uint8Array {
  return Object.keys(kept).length > 0 ? Buffer.from(JSON.stringify(kept)) : new Uint8Array();
}

/** What is to be kept beside the state of this object, of which `manager` has declared fields. */
export function privateOf({ metadata }: PlumbObject, manager: string | undefined): Private {
  return {
    ...(metadata.deletionTimestamp === undefined ? {} : { deleting: true }),
    ...(manager === undefined ? {} : { manager }),
  };
}
