/** Errors as clients of Kubernetes' API read them: metav1.Status with the right code. */
import { type FieldError, PlumbError, terminal } from '@plumb/schemas';
import { Overloaded } from './fairness/overloaded.ts';

/** HTTP status code by reason. A reason that is not here is 503 when it may pass and 422 when it will not. */
const codes: Record<string, number> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  InUse: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  Locked: 423,
  TooManyRequests: 429,
  InternalError: 500,
  StoreUnavailable: 503,
  Timeout: 504,
};

/** What a request speaks of, as far as it is known when it fails. */
export interface About {
  group?: string;
  kind?: string;
  plural?: string;
  name?: string;
  uid?: string;
}

export interface MetaStatus {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: Record<string, never>;
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: Record<string, unknown>;
  code: number;
}

/**
 * The list that a client wants is newer than anything here: another server wrote it, or the store was restored. Clients of Go
 * know it by its cause, and list anew.
 */
export class TooNew extends PlumbError {
  readonly retryAfterSeconds = 1;
  readonly causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];

  constructor(wanted: number, newest: number) {
    super({
      reason: 'Timeout',
      message: `Timeout: Too large resource version: ${wanted}, current: ${newest}`,
      retry: 'retry',
    });
  }
}

/** Others own what an apply wants to change. */
export class ApplyConflict extends PlumbError {
  readonly causes: { reason: string; message: string; field: string }[];

  constructor(message: string, conflicts: readonly { message: string; field: string }[]) {
    super({ reason: 'Conflict', message, retry: 'terminal' });
    this.causes = conflicts.map((conflict) => ({ reason: 'FieldManagerConflict', ...conflict }));
  }
}

/** What is wrong with the options of a request, not with its object. */
export class OfOptions extends PlumbError {
  readonly about: About;

  constructor(kind: string, message: string, fields: FieldError[]) {
    super({ reason: 'Invalid', message, retry: 'terminal', fields });
    this.about = { group: 'meta.k8s.io', kind };
  }
}

/** What Kubernetes says of its own kinds before it knows what a request is about. */
export class ServerResponse extends PlumbError {
  readonly about: About = {};

  constructor(reason: string, message: string) {
    super({ reason, message, retry: 'terminal' });
  }
}

/** The Status for an error. `about` fills its details. */
export function statusOf(error: PlumbError, asked: About = {}): MetaStatus {
  const about = (error as Partial<OfOptions>).about ?? asked;
  const reason = reasonOf(error);
  const code = codes[reason] ?? (error.retry === 'retry' ? 503 : 422);
  const causes =
    'causes' in error && Array.isArray(error.causes)
      ? error.causes
      : error.fields.map(({ field, message, reason = causeOf(message) }) => ({ reason, message, field }));
  // kubectl names the kind of an invalid object, and the resource of any other.
  const kind = code === 422 ? about.kind : about.plural;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    reason,
    // Of a request that cannot be read Kubernetes says nothing of what it was about.
    ...(DETAILED.has(code) || error instanceof ServerResponse ? { details: detailsOf() } : {}),
    code,
  };

  function detailsOf(): Record<string, unknown> {
    // Of a conflict of managers Kubernetes names the fields alone.
    if (error instanceof ApplyConflict) return { causes };
    if (error instanceof TooNew) return { causes, retryAfterSeconds: error.retryAfterSeconds };
    return {
      ...(about.name ? { name: named(about.name) } : {}),
      ...(about.group ? { group: about.group } : {}),
      ...(kind ? { kind } : {}),
      ...(about.uid ? { uid: about.uid } : {}),
      ...(causes.length > 0 ? { causes } : {}),
      ...(error instanceof Overloaded ? { retryAfterSeconds: error.retryAfterSeconds } : {}),
    };
  }
}

/** Codes of which Kubernetes' Status has details. */
const DETAILED: ReadonlySet<number> = new Set([403, 404, 405, 409, 413, 422, 423, 429, 503, 504]);

/** By how the sentence begins, where it is one of Kubernetes' own. */
const CAUSES: readonly (readonly [string, string])[] = [
  ['Required value', 'FieldValueRequired'],
  ['Unsupported value', 'FieldValueNotSupported'],
  ['Duplicate value', 'FieldValueDuplicate'],
  ['Forbidden', 'FieldValueForbidden'],
  ['Too long', 'FieldValueTooLong'],
];

function causeOf(message: string): string {
  return CAUSES.find(([beginning]) => message.startsWith(beginning))?.[1] ?? 'FieldValueInvalid';
}

function reasonOf(error: PlumbError): string {
  if (error.reason === 'Compacted') return 'Expired';
  if (error.reason === 'Internal') return 'InternalError';
  return error.reason;
}

export function badRequest(message: string): PlumbError {
  return terminal('BadRequest', message);
}

export function notFound(plural: string, group: string, name: string): PlumbError {
  return terminal('NotFound', `${qualified(plural, group)} "${named(name)}" not found`);
}

export function alreadyExists(plural: string, group: string, name: string): PlumbError {
  return terminal('AlreadyExists', `${qualified(plural, group)} "${named(name)}" already exists`);
}

/** The name is free when the object that is being deleted has gone. */
export function beingDeleted(plural: string, group: string, name: string): PlumbError {
  const { reason, message } = alreadyExists(plural, group, name);
  return new PlumbError({ reason, message: `object is being deleted: ${message}`, retry: 'retry' });
}

export function conflict(plural: string, group: string, name: string, why: string): PlumbError {
  return new PlumbError({
    reason: 'Conflict',
    retry: 'retry',
    message: `Operation cannot be fulfilled on ${qualified(plural, group)} "${named(name)}": ${why}`,
  });
}

/** Of preconditions, where Kubernetes names the kind in place of the resource. */
export function conflictOfKind(kind: string, group: string, name: string, why: string): PlumbError {
  const error = conflict(kind, group, name, why);
  return Object.assign(error, { about: { kind, plural: kind, group, name } });
}

export function expired(why: string): PlumbError {
  return new PlumbError({ reason: 'Expired', retry: 'retry', message: `${why}: list again` });
}

/** An object that breaks rules: one sentence that names all of them, each once. */
export function invalid(kind: string, group: string, name: string, fields: FieldError[]): PlumbError {
  const rules = [...new Set(fields.map(({ field, message }) => `${field}: ${message}`))];
  const all = rules.length > 1 ? `[${rules.join(', ')}]` : rules[0];
  const error = terminal('Invalid', `${group ? `${kind}.${group}` : kind} "${named(name)}" is invalid: ${all}`, fields);
  return Object.assign(error, { about: { kind, plural: kind, group, name } });
}

/** A name as the client wrote it may be as long as a body. */
function named(name: string): string {
  return name.length > MOST_NAME ? `${name.slice(0, MOST_NAME)}…` : name;
}

/** Longer than any name that Kubernetes takes, so that what is no name is told whole, too. */
const MOST_NAME = 1_024;

function qualified(plural: string, group: string): string {
  return group === '' ? plural : `${plural}.${group}`;
}
