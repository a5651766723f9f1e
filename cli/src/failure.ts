/** Errors for people: what, where, and each field on a line of its own. */
import type { PlumbError } from '@plumb/schemas';
import type { Surroundings } from './surroundings.ts';

/** Writes the error to standard error. `about`: the object that it is about, if there is one. */
export function complain(surroundings: Surroundings, error: PlumbError, about?: string): void {
  const head = about === undefined ? 'error' : `error: ${about}`;
  if (error.fields.length === 0 || error.reason === 'BadManifest') {
    surroundings.err(`${head}: ${error.message}\n`);
    return;
  }
  const fields = error.fields.map(({ field, message }) => `  ${field}: ${message}\n`).join('');
  surroundings.err(
    `${head}: ${error.reason === 'Invalid' ? (about === undefined ? 'what was sent is invalid' : 'is invalid') : error.message}\n${fields}`,
  );
}
