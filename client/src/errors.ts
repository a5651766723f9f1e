/** The API's failures (metav1.Status) as errors. */
import { type FieldError, PlumbError } from '@plumb/schemas/meta/error.ts';

/** metav1.Status, the part that clients read. */
interface Status {
  kind: 'Status';
  reason?: unknown;
  message?: unknown;
  details?: { causes?: unknown };
}

/** Codes after which the same request may succeed: the server is starting, overloaded, or cannot store for now. */
const PASSING = new Set([408, 429, 500, 502, 503, 504, 507]);
const BUSY = 429;

/** An answer of the API that is no success. */
export class ApiError extends PlumbError {
  readonly status: number;
  /** How long the server asks to be left alone, in milliseconds; undefined when it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: unknown, what: string, retryAfterMs?: number) {
    const said = statusIn(body);
    super({
      reason: text(said?.reason) ?? reasonOf(status),
      message: text(said?.message) ?? `the server answered ${status} to ${what}`,
      retry: PASSING.has(status) ? 'retry' : 'terminal',
      fields: fieldsIn(said?.details?.causes),
    });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** The server has done nothing, since it has more to do than it can. */
  get busy(): boolean {
    return this.status === BUSY;
  }
}

/** The error in an event of a watch, whose `object` is a Status. */
export function errorOfEvent(object: unknown, what: string): ApiError {
  const code = Number((object as { code?: unknown } | undefined)?.code);
  return new ApiError(code >= 400 && code <= 599 ? code : 500, object, what);
}

/**
 * Milliseconds of the header Retry-After (RFC 9110, 10.2.3), which is whole seconds or a date; at least 0 and at most `most`.
 * Undefined when there is none that can be read.
 */
export function retryAfter(header: string | undefined, now: number, most: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header)
    ? Number(header) * 1000
    : /^[A-Z]/.test(header)
      ? Date.parse(header) - now
      : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), most);
}

function statusIn(body: unknown): Status | undefined {
  return (body as Status | undefined | null)?.kind === 'Status' ? (body as Status) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function fieldsIn(causes: unknown): FieldError[] {
  if (!Array.isArray(causes)) return [];
  return causes.flatMap((cause: { field?: unknown; message?: unknown } | null): FieldError[] => {
    const field = text(cause?.field);
    return field === undefined ? [] : [{ field, message: text(cause?.message) ?? 'is not valid' }];
  });
}

function reasonOf(status: number): string {
  switch (status) {
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
    case BUSY:
      return 'TooManyRequests';
    default:
      return PASSING.has(status) ? 'Unavailable' : 'BadAnswer';
  }
}
