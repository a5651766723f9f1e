import { PlumbError, retryable, terminal } from '@plumb/schemas';

/** A precondition did not hold; nothing was written. */
export class ConflictError extends PlumbError {
  /** Keys whose precondition failed. */
  readonly keys: string[];

  constructor(keys: string[]) {
    super({ reason: 'Conflict', message: `changed by someone else meanwhile: ${keys.join(', ')}`, retry: 'retry' });
    this.keys = keys;
  }
}

export function storeUnavailable(what: string, cause: unknown): PlumbError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return retryable('StoreUnavailable', `the store cannot ${what}: ${why}`, cause);
}

export function compacted(from: number, oldest: number): PlumbError {
  return retryable('Compacted', `revision ${from} is no longer kept, the oldest is ${oldest}: list again`);
}

export function slowWatcher(pending: number): PlumbError {
  return retryable('SlowWatcher', `the watcher is ${pending} commits behind and was ended: list again`);
}

/** A revision that this store never reached: it was restored, or emptied, since the caller read it. */
export function neverReached(revision: number, newest: number): PlumbError {
  return retryable('Compacted', `revision ${revision} was never reached here, the newest is ${newest}: list again`);
}

export function storeClosed(): PlumbError {
  return retryable('StoreUnavailable', 'the store is closed: the server is ending');
}

/** The failure of opening a data folder that another process holds. */
export function dataFolderInUse(folder: string): PlumbError {
  return terminal(
    'DataFolderInUse',
    `the data folder ${folder} is in use by another process: stop the other server, or start this one with another --data-dir`,
  );
}

/** The failure of opening a data folder whose file is no store of ours, or a broken one. */
export function dataFolderDamaged(folder: string, why: string): PlumbError {
  return terminal(
    'DataFolderDamaged',
    `the store in the data folder ${folder} cannot be read: ${why}. Restore the folder from a backup, or start with an empty one: an empty store destroys nothing on any host`,
  );
}
