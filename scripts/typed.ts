/** How paths and words look when a person types them in a POSIX shell. */
import { relative } from 'node:path';

/** As seen from where npm was called; absolute when it is not below. */
export function asTyped(path: string): string {
  const from = relative(process.cwd(), path);
  return quoted(from.startsWith('..') ? path : `./${from}`);
}

/** One word for a shell, whatever is in it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
