/** The patch that a request carries, as a function of the stored object. */
import { API_GROUP, type FieldError, type PlumbObject } from '@plumb/schemas';
import { badRequest, invalid, ServerResponse } from '../failure.ts';
import { unsupported } from '../media.ts';
import { mostBytes } from '../object-size.ts';
import type { ApiRequest } from '../request.ts';
import type { WritableResource } from '../resource.ts';
import { type Duplicates, type Json, reread } from './json.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicPatch } from './strategic-patch.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';

export interface Patch {
  /** The object as it would be. May not change `current`. Throws PlumbError when the patch does not fit it. */
  wanted(current: PlumbObject): Json;
  /** Fields that stand twice in one object of the patch. */
  duplicates: Duplicates;
  /** Paths of fields that operations do not have, the first ones. */
  unknown?: readonly string[];
}

const OPERATION: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);
/** As many as Kubernetes names. */
const MOST_NAMED = 100;

function unknownInOperations(operations: unknown): string[] {
  const unknown: string[] = [];
  for (const [index, operation] of (operations as object[]).entries())
    for (const key of Object.keys(operation))
      if (!OPERATION.has(key) && unknown.length < MOST_NAMED) unknown.push(`[${index}].${key.slice(0, 80)}`);
  return unknown;
}

/** Throws PlumbError `UnsupportedMediaType` for a patch of a type that is not served, `BadRequest` for a broken one. */
export async function patchOf(request: ApiRequest, resource: WritableResource): Promise<Patch> {
  const type = request.contentType;
  const { jsonDepth } = request.limits;
  const made = (object: unknown) => whole(reread(object, jsonDepth, mostBytes(resource, request.limits)), resource);
  if (type === MERGE || (type === STRATEGIC && resource.group !== API_GROUP)) {
    const { value, duplicates } = await request.parsed([type]);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw badRequest('a merge patch is an object');
    }
    const merge = (current: PlumbObject) =>
      type === STRATEGIC
        ? strategicPatch(
            resource.definition,
            current as unknown as Record<string, unknown>,
            value as unknown as Record<string, unknown>,
          )
        : mergePatch(current, value);
    return { duplicates, wanted: (current) => made(merge(current)) };
  }
  if (type === JSON_PATCH) {
    const { value, duplicates } = await request.parsed([type]);
    const patch = jsonPatch(value, request.limits);
    return {
      duplicates,
      unknown: unknownInOperations(value),
      wanted: (current) => made(patch(structuredClone(current))),
    };
  }
  throw resource.group === API_GROUP
    ? unsupported([JSON_PATCH, MERGE, APPLY])
    : new ServerResponse('UnsupportedMediaType', '415: Unsupported Media Type');
}

/**
 * What a patch has made. What it took away of what says which object this is would be filled in again, and what was meant be lost:
 * it is refused, as Kubernetes refuses it. Throws PlumbError `Invalid`.
 */
function whole(object: Json, { group, kind }: WritableResource): Json {
  if (!isRecord(object)) return object;
  const errors: FieldError[] = [];
  const expect = (holder: Record<string, unknown>, path: string, ...fields: string[]) => {
    for (const field of fields)
      if (holder[field] === undefined || holder[field] === null)
        errors.push({ field: `${path}${field}`, message: 'is required, and the patch takes it away' });
  };
  // Clients that know built-in kinds by type may leave out which kind it is.
  if (group === API_GROUP) expect(object, '', 'apiVersion', 'kind', 'spec');
  expect(object, '', 'metadata');
  if (isRecord(object.metadata)) expect(object.metadata, 'metadata.', 'name');
  if (errors.length > 0) throw invalid(kind, group, '', errors);
  return object;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
