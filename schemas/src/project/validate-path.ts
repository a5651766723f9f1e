/** Field paths as people write them: `spec.interfaces[0].addresses[1]`, `metadata.labels[plumb.dev/tier]`. */

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** The path of `key` inside `path`; a number is an index, an unusual key stands in brackets. */
export function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!PLAIN.test(key)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}
