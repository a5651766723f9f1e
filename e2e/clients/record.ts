/** What clients asked, as a file that `npm test` replays: without repetitions, and without what is this run's own. */
import { join } from 'node:path';

export interface Asked {
  method: string;
  path: string;
  type?: string;
  accept?: string;
  body?: string;
  status: number;
  answer?: string;
}

export function goldenOf(client: string): string {
  return join(import.meta.dirname, `../../reconciler/src/api/testing/${client}.jsonl`);
}

/** Events, and objects of generateName, have names of their own each time. */
const OWN = /(\.[0-9a-f]{16}|written-[a-z0-9]{5})(?=$|\?)/;

/** The requests that are told apart: method, resource, form and answer. How often each comes is a matter of time. */
export function distinct(asked: readonly Asked[]): string[] {
  return [...new Set(asked.filter(isSteady).map(wordsOf))].sort();
}

function wordsOf({ method, path, type, accept, status, answer }: Asked): string {
  const [place = '', query = ''] = path.split('?');
  const names = [...new URLSearchParams(query)]
    .filter(([name]) => !['resourceVersion', 'timeout', 'timeoutSeconds', 'continue', 'hash'].includes(name))
    .map(([name, value]) => `${name}=${value}`);
  const at = `${place.replace(OWN, '.*')}${names.length > 0 ? `?${names.sort().join('&')}` : ''}`;
  return [method, at, type, accept, status, answer].join(' | ');
}

/**
 * Whether it comes in every run. To lose a race, and to look again until something is so, does not: the reconciler works on `noted` while
 * others change it.
 */
function isSteady({ method, status, path }: Asked): boolean {
  if (/\/leases|\/noted/.test(path) && status >= 400) return false;
  return !(method === 'GET' && status === 404);
}

/** One of each that are the same, in their order; every write that succeeded. */
export function slim(asked: readonly Asked[], { folder }: { folder: string }): string {
  const seen = new Set<string>();
  const kept = asked.filter(isSteady).filter((one) => {
    const words = wordsOf(one);
    const isWrite = one.method !== 'GET';
    if (seen.has(words) && !isWrite) return false;
    seen.add(words);
    return true;
  });
  return `${kept.map((one) => JSON.stringify({ ...one, ...cleaned(one, folder) })).join('\n')}\n`;
}

/** The folder of the run is no news; its length stays. */
function cleaned({ body }: Asked, folder: string): { body?: string } {
  if (body === undefined) return {};
  const bytes = Buffer.from(body, 'base64').toString('latin1');
  return {
    body: Buffer.from(bytes.replaceAll(folder, folder.replace(/[^/]{6}$/, 'XXXXXX')), 'latin1').toString('base64'),
  };
}
