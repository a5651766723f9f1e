import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage, once, now. Loading leaves much behind, and V8 gives pages back only some time after a collection: a
 * server that then rests has no reason to make one, and would keep a hundred megabytes for nothing.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  collect?.();
}
