/** RFC 3339 in whole seconds: metav1.Time has no more. */
export function timestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (second !== last.second) last = { second, text: new Date(second * 1000).toISOString().replace('.000Z', 'Z') };
  return last.text;
}

/** Many are asked for within a second. */
let last = { second: 0, text: '1970-01-01T00:00:00Z' };
