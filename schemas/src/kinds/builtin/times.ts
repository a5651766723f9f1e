/** Times of Kubernetes' objects. */

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** A time as metav1.MicroTime writes it: UTC, with six digits. What is no time stays as it is, for validation to name. */
export function microTime(value: unknown): unknown {
  const parts = typeof value === 'string' ? RFC3339.exec(value) : null;
  if (!parts) return value;
  const [, seconds = '', fraction = '', zone = ''] = parts;
  const time = Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(time)) return value;
  return `${new Date(time).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

/** A time as metav1.Time writes it: UTC, in whole seconds. What is no time stays as it is. */
export function secondTime(value: unknown): unknown {
  const micro = microTime(value);
  return micro === value && !RFC3339.test(String(value)) ? value : `${String(micro).slice(0, 19)}Z`;
}
