import { printable } from './printable.ts';

const KNOWN: ReadonlySet<string> = new Set(['https:', 'http:', 'file:']);
/** Longest URL in a message. */
const MOST = 300;

/**
 * A URL as messages may show it: without name and password, without a query, which may be a signature, and without
 * control characters. What is no URL that an Image may have loses everything up to its last `@`.
 */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !KNOWN.has(parsed.protocol))
    return printable(url.slice(url.lastIndexOf('@') + 1).replace(/[?#].*$/s, '?…'), MOST);
  if (!parsed.username && !parsed.password && !parsed.search && !parsed.hash) return printable(url, MOST);
  const query = parsed.search ? '?…' : '';
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  parsed.hash = '';
  return printable(`${parsed.href}${query}`, MOST);
}
