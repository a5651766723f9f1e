/** Which version of which kind a body says that it is: read as Kubernetes' decoders read it, before anything else of it is looked at. */
import { API_GROUP, type PlumbError } from '@plumb/schemas';
import { quoted } from '@plumb/schemas/project/validate-kubernetes-words.ts';
import { badRequest, invalid } from '../failure.ts';
import type { WritableResource } from '../resource.ts';

type Sent = Readonly<Record<string, unknown>>;

/** Whether its clients say it in every body; those of built-in kinds know them by type, and leave it out. */
export function saysItself({ group }: Pick<WritableResource, 'group'>): boolean {
  return group === API_GROUP;
}

/** Throws PlumbError `BadRequest` for a body that is another version than its path. */
export function expectVersion(resource: WritableResource, sent: Sent): void {
  const wrong = unrecognized(resource, sent);
  if (wrong !== undefined) throw unrecognizedBody(resource, wrong);
  const { apiVersion: expected, kind } = resource;
  const given = sent.apiVersion;
  if (saysItself(resource)) {
    if (given === null)
      throw badRequest(
        `${quoted(sent.kind).slice(1, -1)} in version "" cannot be handled as a ${kind}: ${NIL_VERSION}`,
      );
  } else if (given === undefined || given === null || given === '') return;
  if ((given ?? '') === expected) return;
  const version = String(given ?? '').slice(0, 80);
  throw badRequest(`the API version in the data (${version}) does not match the expected API version (${expected})`);
}

const NIL_VERSION = '.apiVersion accessor error: <nil> is of the type <nil>, expected string';

/** Why it cannot be said what the body is; undefined when it can. */
function unrecognized(resource: WritableResource, { apiVersion, kind }: Sent): string | undefined {
  for (const [field, value] of Object.entries({ apiVersion, kind }))
    if (value !== undefined && value !== null && typeof value !== 'string')
      return `couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(value)} into Go struct field .${field} of type string`;
  if (saysItself(resource) && (kind ?? '') === '') return `Object 'Kind' is missing`;
  if (String(apiVersion ?? '').split('/').length > 2)
    return `unexpected GroupVersion string: ${String(apiVersion).slice(0, 80)}`;
  return undefined;
}

/** Kubernetes repeats the body; here it is not repeated, since it may hold secrets. */
export function unrecognizedBody({ kind }: Pick<WritableResource, 'kind'>, why: string): PlumbError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`);
}

/** What a patch has made, and its decoder would not read. */
export function unreadablePatch(why: string): PlumbError {
  return Object.assign(invalid('', '', '', [{ field: 'patch', message: `Invalid value: ${why}` }]), { about: {} });
}

/** Throws PlumbError `Invalid` when a patch has made something else of what the object says that it is. */
export function expectPatched(resource: WritableResource, sent: Sent): void {
  if (!saysItself(resource)) return;
  const wrong = unrecognized(resource, sent);
  if (wrong !== undefined) throw unreadablePatch(wrong);
}

/** Throws PlumbError `Invalid` for an object of another kind or version. */
export function expectKind({ apiVersion, kind, group }: WritableResource, sent: Sent, name: string): void {
  const is = { kind: sent.kind ?? '', apiVersion: sent.apiVersion ?? '' };
  const errors = Object.entries({ kind, apiVersion }).flatMap(([field, must]) =>
    is[field as 'kind'] === must
      ? []
      : [{ field, message: `Invalid value: ${quoted(is[field as 'kind'])}: must be ${must}` }],
  );
  if (errors.length === 0) return;
  // Kubernetes names what the object says that it is.
  const named = typeof is.kind === 'string' ? is.kind.slice(0, 253) : kind;
  const error = invalid(named, group, name, errors);
  throw Object.assign(error, { about: { kind: named, plural: named, group, name } });
}

/** What Go calls a JSON value. */
export function goType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}
