/** One violated rule of one field: what is wrong, where, and the value that was given. */
export interface FieldError {
  /** Path in the object as a person writes it, e.g. `spec.interfaces[0].addresses[1]`. */
  field: string;
  /** A sentence that names the rule, the value and, where one is known, what to do. */
  message: string;
  /** What kind of mistake it is, in Kubernetes' words (metav1 CauseType); `FieldValueInvalid`, if absent. */
  reason?: FieldReason;
}

export type FieldReason =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany';

export interface PlumbErrorInit {
  /** Stable UpperCamelCase word that programs compare; doubles as the reason of a condition. */
  reason: string;
  /** What, where, why and what to do, in one or two sentences. Never holds a secret. */
  message: string;
  /** `retry`: the same request may succeed later. `terminal`: not before one of its inputs changes. */
  retry: 'retry' | 'terminal';
  fields?: FieldError[];
  cause?: unknown;
}

/** The one error type of Plumb. Everything that is thrown across a layer's edge is one of these. */
export class PlumbError extends Error {
  readonly reason: string;
  readonly retry: 'retry' | 'terminal';
  readonly fields: FieldError[];

  constructor(init: PlumbErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'PlumbError';
    this.reason = init.reason;
    this.retry = init.retry;
    this.fields = init.fields ?? [];
  }

  /** Wraps whatever was thrown; what is not ours becomes a retryable `Internal`. */
  static from(thrown: unknown, where: string): PlumbError {
    if (thrown instanceof PlumbError) return thrown;
    const message = thrown instanceof Error ? messageOf(thrown) : 'something that is no error was thrown';
    return new PlumbError({ reason: 'Internal', message: `${where}: ${message}`, retry: 'retry', cause: thrown });
  }
}

/** The parser of JSON repeats the text around a mistake, which may be a secret. */
export function messageOf(error: Error): string {
  return error instanceof SyntaxError ? 'a text could not be parsed' : error.message;
}

/** The error as one about a field, unless it names one already. `field`: its path, as in `spec.image`. */
export function about(field: string, thrown: unknown): PlumbError {
  const error = PlumbError.from(thrown, field);
  if (error.fields.length > 0) return error;
  const { reason, message, retry } = error;
  return new PlumbError({ reason, message, retry, cause: error.cause, fields: [{ field, message }] });
}

/** Runs it; what it throws is an error about the field, unless it names one already. */
export function within<T>(field: string, run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw about(field, thrown);
  }
}

/** Shorthand for an error that waiting will not cure. */
export function terminal(reason: string, message: string, fields?: FieldError[]): PlumbError {
  return new PlumbError({ reason, message, retry: 'terminal', ...(fields ? { fields } : {}) });
}

/** Shorthand for an error that may pass. */
export function retryable(reason: string, message: string, cause?: unknown): PlumbError {
  return new PlumbError({ reason, message, retry: 'retry', cause });
}
