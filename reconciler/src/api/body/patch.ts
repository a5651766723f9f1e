/** The patch that a request carries, as a function of the stored object. */
import { API_GROUP, type PlumbObject } from '@plumb/schemas';
import { badRequest, ServerResponse } from '../failure.ts';
import { unsupported } from '../media.ts';
import { mostBytes } from '../object-size.ts';
import { strictSentences } from '../read-object.ts';
import type { ApiRequest } from '../request.ts';
import type { WritableResource } from '../resource.ts';
import { type Json, reread } from './json.ts';
import { jsonPatch, undecodable } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicPatch } from './strategic-patch.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';

export interface Patch {
  /** The object as it would be. May not change `current`. Throws PlumbError when the patch does not fit it. */
  wanted(current: PlumbObject): Json;
  /** What is wrong with the fields of the patch: see strictSentences. */
  found: readonly string[];
}

const OPERATION: ReadonlySet<string> = new Set(['op', 'path', 'from', 'value']);
/** As many as Kubernetes names. */
const MOST_NAMED = 100;

function unknownInOperations(operations: unknown): string[] {
  const unknown: string[] = [];
  for (const [index, operation] of ((operations ?? []) as (object | null)[]).entries())
    for (const key of Object.keys(operation ?? {}))
      if (!OPERATION.has(key) && unknown.length < MOST_NAMED) unknown.push(`[${index}].${key.slice(0, 80)}`);
  return unknown;
}

/** Throws PlumbError `UnsupportedMediaType` for a patch of a type that is not served, `BadRequest` for a broken one. */
export async function patchOf(request: ApiRequest, resource: WritableResource): Promise<Patch> {
  const type = request.contentType;
  const { jsonDepth } = request.limits;
  const made = (object: unknown) => reread(object, jsonDepth, mostBytes(resource, request.limits));
  if (type === MERGE || (type === STRATEGIC && resource.group !== API_GROUP)) {
    const { value, duplicates } = await request.parsed([type]);
    if (value === null) throw badRequest('Invalid JSON Patch');
    if (value === undefined || typeof value !== 'object' || Array.isArray(value))
      throw undecodable(value, 'map[string]interface {}');
    const merge = (current: PlumbObject) =>
      type === STRATEGIC
        ? strategicPatch(
            resource.definition,
            current as unknown as Record<string, unknown>,
            value as unknown as Record<string, unknown>,
          )
        : mergePatch(current, value);
    return { found: strictSentences(duplicates), wanted: (current) => made(merge(current)) };
  }
  if (type === JSON_PATCH) {
    const { value, duplicates } = await request.parsed([type]);
    const patch = jsonPatch(value, request.limits);
    return {
      found: strictSentences(duplicates, unknownInOperations(value), true),
      wanted: (current) => made(patch(structuredClone(current))),
    };
  }
  throw resource.group === API_GROUP
    ? unsupported([JSON_PATCH, MERGE, APPLY])
    : new ServerResponse('UnsupportedMediaType', '415: Unsupported Media Type');
}
