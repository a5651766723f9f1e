/** Field paths as people write them: `spec.interfaces[0].addresses[1]`, `metadata.labels[plumb.dev/tier]`. */

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** The path of `key` inside `path`; a number is an index, an unusual key stands in brackets. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!PLAIN.test(key)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

/**
 * The path for a JSON Pointer (RFC 6901) into `root`. The value decides whether a segment is an index, since a pointer
 * does not tell `[0]` from the key `0`.
 */
export function pathOfPointer(pointer: string, root: unknown): string {
  let path = '';
  let value = root;
  for (const raw of pointer.split('/').slice(1)) {
    const segment = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path = joinPath(path, Array.isArray(value) ? Number(segment) : segment);
    value = (value as Record<string, unknown> | undefined)?.[segment];
  }
  return path;
}
