/** The API's failures (metav1.Status) as errors. */
import { type FieldError, PlumbError } from '@plumb/schemas';

/** metav1.Status, the part that clients read. */
interface Status {
  kind: 'Status';
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string; field?: string }[] };
}

/** Codes after which the same request may succeed: the server is starting, overloaded, or cannot store for now. */
const PASSING = new Set([408, 429, 500, 502, 503, 504, 507]);

/** The server has done nothing, since it has more to do than it can, and says when to ask again. */
export class Busy extends PlumbError {
  /** Milliseconds to wait before the next attempt. */
  readonly afterMs: number;

  constructor(message: string, afterMs: number) {
    super({ reason: 'TooManyRequests', message, retry: 'retry' });
    this.afterMs = afterMs;
  }
}

const BUSY = 429;

/**
 * The error that a response of that code and body means. `what` says what was asked for; `retryAfter` is the header of
 * that name, in whole seconds (RFC 9110, 10.2.3).
 */
export function errorOf(code: number, body: string, what: string, retryAfter?: string): PlumbError {
  const status = statusIn(body);
  const fields = (status?.details?.causes ?? []).flatMap(({ field, message }): FieldError[] =>
    field ? [{ field, message: message ?? 'is not valid' }] : [],
  );
  const message = status?.message || `The server answered ${code} to: ${what}`;
  if (code === BUSY) return new Busy(message, 1000 * (Number(retryAfter) || 1));
  return new PlumbError({
    reason: status?.reason || reasonOf(code),
    message,
    retry: PASSING.has(code) ? 'retry' : 'terminal',
    fields,
  });
}

/** The error in an event of a watch. */
export function errorOfEvent(object: unknown, what: string): PlumbError {
  const code = (object as { code?: number } | undefined)?.code ?? 500;
  return errorOf(code, JSON.stringify(object), what);
}

function statusIn(body: string): Status | undefined {
  try {
    const json = JSON.parse(body) as Status | null;
    return json?.kind === 'Status' ? json : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(code: number): string {
  switch (code) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 410:
      return 'Expired';
    case 422:
      return 'Invalid';
    default:
      return PASSING.has(code) ? 'Unavailable' : 'BadAnswer';
  }
}
