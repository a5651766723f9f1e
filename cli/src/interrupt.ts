/** Ctrl-C: what was sent goes on at the server, and a person is told what that is. */
import type { Surroundings } from './surroundings.ts';

/** Exit code of what Ctrl-C ended, as shells know it: 128 and the number of SIGINT. */
export const INTERRUPTED = 130;

/** Says where things stand, in a sentence each, and returns the exit code. */
export function tellInterrupted({ err }: Surroundings, sentences: string): number {
  err(`interrupted: ${sentences}\n`);
  return INTERRUPTED;
}
