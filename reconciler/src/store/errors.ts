import { PlumbError, retryable } from '@plumb/schemas';

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
