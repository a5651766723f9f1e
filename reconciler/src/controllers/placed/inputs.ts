/** What a plan is made from, told apart by a short text. */
import type { PlumbObject } from '@plumb/schemas';
import { RETRY_ANNOTATION } from '../retry.ts';
import type { Resolved } from './placed-kind.ts';

/** Changes when anything changes that could make a failed plan succeed. */
export function inputsOf({ metadata }: PlumbObject, { used }: Resolved): string {
  const retry = metadata.annotations?.[RETRY_ANNOTATION] ?? '';
  const generations = used.map(({ object }) => `${object.metadata.uid}:${object.metadata.generation}`);
  return [metadata.generation, retry, ...generations].join(' ');
}
