/**
 * What a write is asked to be: a dry run, how strictly its fields are taken. Rules and sentences are those of Kubernetes
 * (apimachinery, apis/meta/v1/validation). A value that is not known is refused: the client meant something by it.
 */
import type { FieldError, PlumbError } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import { badRequest, OfOptions } from './failure.ts';

/** What to do with fields that the schema does not know. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface WriteOptions {
  /** Whether nothing is to be changed. */
  dryRun: boolean;
  /** Strict unless the query says otherwise: what is not understood is not promised. */
  level: FieldValidation;
  /** Whether the query does not say it. */
  hints: boolean;
  /** Who the client says that it is; empty when it does not. */
  manager: string;
  /** Whether an apply takes what others own. */
  force: boolean;
}

export interface DeleteOptions {
  dryRun: boolean;
  /** What becomes of objects that this one owns; undefined when that is not said. */
  propagation?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  /** The client asked not to orphan in the old way, which is answered as it was then. */
  accepted?: boolean;
  preconditions: {
    uid?: string;
    resourceVersion?: string;
    /** Plumb's own: nothing refers to it but what is being deleted, too. */
    unreferenced?: boolean;
  };
}

export type OptionsKind = 'ListOptions' | 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

const LEVELS: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];
const POLICIES: readonly string[] = ['Foreground', 'Background', 'Orphan'];
/** Accepted and without effect: objects that cannot be read are deleted like any other. */
const UNSAFE = 'ignoreStoreReadErrorWithClusterBreakingPotential';
const MOST_MANAGER_BYTES = 128;

/** The options of a create, an update or a patch. Throws terminal `Invalid` (422) that names each unknown value. */
export function writeOptions(query: URLSearchParams, kind: OptionsKind, isApply = false): WriteOptions {
  const errors: FieldError[] = [];
  const dryRun = dryRunOf(query.getAll('dryRun'), errors);
  const level = query.get('fieldValidation') || 'Strict';
  if (!LEVELS.includes(level)) errors.push(unsupported('fieldValidation', level, LEVELS));
  const manager = query.get('fieldManager') ?? '';
  if (Buffer.byteLength(manager) > MOST_MANAGER_BYTES) {
    errors.push({ field: 'fieldManager', message: `Too long: may not be more than ${MOST_MANAGER_BYTES} bytes` });
  } else {
    errors.push(...unprintable(manager));
  }
  if (isApply && manager === '') {
    errors.push({ field: 'fieldManager', message: 'Required value: is required for apply patch' });
  } else if (kind === 'PatchOptions' && !isApply && query.has('force')) {
    errors.push({ field: 'force', message: 'Forbidden: may not be specified for non-apply patch' });
  }
  refuse(kind, errors);
  const force = query.get('force');
  const forced = force !== null && force !== '0' && force.toLowerCase() !== 'false';
  const hints = !query.get('fieldValidation');
  return { dryRun, level: level as FieldValidation, hints, manager, force: isApply && forced };
}

/** Characters that cannot be printed (Go's unicode.IsPrint), each with its place in bytes. */
function unprintable(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  let position = 0;
  for (const character of manager) {
    if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      const message = `Invalid value: ${goQuoted(manager)}: invalid character U+${code} (at position ${position})`;
      errors.push({ field: 'fieldManager', message });
    }
    position += Buffer.byteLength(character);
  }
  return errors;
}

/** As Go quotes a text. */
function goQuoted(text: string): string {
  const code = (sign: string) => sign.charCodeAt(0).toString(16).padStart(2, '0');
  return JSON.stringify(text)
    .replaceAll(/\\u00([0-9a-f]{2})/g, (_, hex) => `\\x${hex}`)
    .replaceAll('\x7f', (sign) => `\\x${code(sign)}`);
}

/**
 * The options of a deletion, from its body and its query: what either says counts. Throws PlumbError `BadRequest` when the
 * body is no DeleteOptions, and `Invalid` (422) for a value that is not known.
 */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const sent = body === undefined || body === null ? {} : checkedBody(body);
  const errors: FieldError[] = [];
  const dryRun = dryRunOf([...query.getAll('dryRun'), ...(sent.dryRun ?? [])], errors);
  const policies = [...query.getAll('propagationPolicy'), ...(sent.propagationPolicy ?? [])];
  for (const policy of policies) {
    if (!POLICIES.includes(policy)) errors.push(unsupported('propagationPolicy', policy, [...POLICIES, 'nil']));
  }
  if (policies.length > 0 && (query.has('orphanDependents') || sent.orphanDependents)) {
    const message = `Invalid value: ${shown(policies[0])}: orphanDependents and deletionPropagation cannot be both set`;
    errors.push({ field: 'propagationPolicy', message });
  }
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^[+-]?\d{1,18}$/.test(grace)) throw badRequest('gracePeriodSeconds is not a whole number');
  refuse('DeleteOptions', errors);
  const [policy] = policies as DeleteOptions['propagation'][];
  const orphan = query.get('orphanDependents') ?? sent.orphan;
  const old =
    orphan === undefined || orphan === null ? undefined : /^(false|0)$/i.test(`${orphan}`) ? 'Background' : 'Orphan';
  return {
    dryRun,
    preconditions: { ...preconditionsOf(query), ...sent.preconditions },
    propagation: policy ?? old,
    accepted: old === 'Background',
  };
}

/** As Kubernetes reads them from a query. */
function preconditionsOf(query: URLSearchParams): DeleteOptions['preconditions'] {
  const [uid, resourceVersion] = [query.get('uid'), query.get('resourceVersion')];
  return { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
}

/** For what cannot be tried without being done. Throws terminal `Invalid`. */
export function refuseDryRun(path: string): never {
  const message = `Forbidden: there is no dry run of ${path.slice(0, 200)}; nothing was done`;
  throw invalidOptions('CreateOptions', [{ field: 'dryRun', message }]);
}

/** For what has no uid and no resourceVersion to compare. Throws terminal `Invalid` when the client names one. */
export function refusePreconditions(preconditions: DeleteOptions['preconditions'], path: string): void {
  if (preconditions.uid === undefined && preconditions.resourceVersion === undefined) return;
  const message = `Forbidden: ${path.slice(0, 200)} has no uid and no resourceVersion; nothing was done`;
  throw invalidOptions('DeleteOptions', [{ field: 'preconditions', message }]);
}

interface SentDeleteOptions {
  dryRun?: string[];
  propagationPolicy?: string[];
  preconditions?: DeleteOptions['preconditions'];
  orphanDependents?: boolean;
  orphan?: boolean;
}

/** Names under which somebody may have meant `dryRun`: what was to be tried must not happen for a hyphen. */
const NEARLY_DRY_RUN = /^[^a-z]*dry[^a-z]*run[^a-z]*$/i;

/** Throws terminal `Invalid` when the query of a request that may change something has an option that is nearly `dryRun`. */
export function refuseNearlyDryRun(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (name === 'dryRun' || name.length > 64 || !NEARLY_DRY_RUN.test(name)) continue;
    const message = `Forbidden: ${shown(name)} is no option: did you mean dryRun? Nothing was done`;
    throw invalidOptions('CreateOptions', [{ field: 'dryRun', message }]);
  }
}

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const PRECONDITIONS: Record<string, Check> = { uid: isString, resourceVersion: isString, unreferenced: isBoolean };

const DELETE_FIELDS: Record<string, Check> = {
  apiVersion: isString,
  kind: (value) => value === 'DeleteOptions',
  gracePeriodSeconds: Number.isSafeInteger,
  preconditions: isRecord,
  orphanDependents: isBoolean,
  propagationPolicy: isString,
  dryRun: (value) => Array.isArray(value) && value.every(isString),
  [UNSAFE]: isBoolean,
};

/** A field that is misspelt would be a wish that is not heard, and the object would be gone. */
function checkedBody(body: unknown): SentDeleteOptions {
  if (!isRecord(body)) throw badRequest('DeleteOptions are an object');
  const given = checkedFields(body, DELETE_FIELDS, '');
  const preconditions = given.preconditions as Record<string, unknown> | undefined;
  return {
    ...(given.dryRun === undefined ? {} : { dryRun: given.dryRun as string[] }),
    ...(given.propagationPolicy === undefined ? {} : { propagationPolicy: [given.propagationPolicy as string] }),
    ...(preconditions === undefined
      ? {}
      : { preconditions: checkedFields(preconditions, PRECONDITIONS, 'preconditions.') }),
    orphanDependents: given.orphanDependents !== undefined,
    ...(given.orphanDependents === undefined ? {} : { orphan: given.orphanDependents as boolean }),
  };
}

/** The fields that are not null. Throws PlumbError `BadRequest` for one that is not known or of another type. */
function checkedFields(
  given: Record<string, unknown>,
  checks: Record<string, Check>,
  path: string,
): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    if (!check) throw badRequest(`DeleteOptions have no field ${shown(path + key)}; nothing was deleted`);
    if (value === null) continue;
    if (!check(value))
      throw badRequest(`${path}${key} of DeleteOptions cannot be ${shown(value)}; nothing was deleted`);
    kept[key] = value;
  }
  return kept;
}

function dryRunOf(values: readonly string[], errors: FieldError[]): boolean {
  if (values.some((value) => value !== 'All')) errors.push(unsupported('dryRun', values, ['All']));
  return values.length > 0;
}

function unsupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const known = supported.map((word) => JSON.stringify(word)).join(', ');
  return { field, message: `Unsupported value: ${shown(value)}: supported values: ${known}` };
}

function refuse(kind: OptionsKind, errors: FieldError[]): void {
  if (errors.length > 0) throw invalidOptions(kind, errors);
}

/** What is wrong with options, as Kubernetes says it. */
export function invalidOptions(kind: OptionsKind, errors: FieldError[]): PlumbError {
  const rules = errors.map(({ field, message }) => `${field}: ${message}`).join(', ');
  const all = errors.length > 1 ? `[${rules}]` : rules;
  return new OfOptions(kind, `${kind}.meta.k8s.io "" is invalid: ${all}`, errors);
}
