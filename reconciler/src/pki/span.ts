/** A span of time, in milliseconds since the epoch: from its first instant until before its last. */
export interface Span {
  from: number;
  until: number;
}

/** The time that lies in both. */
export function meet(a: Span, b: Span): Span {
  return { from: Math.max(a.from, b.from), until: Math.min(a.until, b.until) };
}
