import { readFileSync } from 'node:fs';
import { terminal } from '../meta/error.ts';
import { defaultAgentLimits } from './agent.ts';
import { type LimitsFile, parseLimitsFile } from './file.ts';
import { defaultServerLimits } from './server.ts';

/** A file of limits is small; what is larger is none. */
const MOST_BYTES = 1 << 20;

/**
 * The limits that a program was given: those of the file, defaults for the rest; without a file, all defaults. Throws
 * PlumbError `InvalidLimits` (terminal), which names the file.
 */
export function readLimits(path: string | undefined): LimitsFile {
  if (path === undefined) return { server: defaultServerLimits, agent: defaultAgentLimits };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw terminal('InvalidLimits', `the limits file ${path} cannot be read: ${(error as Error).message}`);
  }
  if (text.length > MOST_BYTES) throw terminal('InvalidLimits', `the limits file ${path} is larger than 1 MiB`);
  return parseLimitsFile(text, path);
}
