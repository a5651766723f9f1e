import { PlumbError, retryable } from '@plumb/schemas';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** For `catch`: `NoSpace` (retry) when the disk is full; whatever else was thrown goes on. */
export function tellFullDisk(path: string): (thrown: unknown) => never {
  return (thrown) => {
    if (isFullDisk(thrown))
      throw retryable('NoSpace', `There is no space left for ${path}: free some, or add a disk`, thrown);
    throw thrown;
  };
}

/** Whether something failed since the disk is full. */
export function isFullDisk(thrown: unknown): boolean {
  if (thrown instanceof PlumbError) return /No space left|Disk quota exceeded/.test(thrown.message);
  return thrown instanceof Error && 'code' in thrown && FULL.has(String(thrown.code));
}
