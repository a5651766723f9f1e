/** The patch that a request carries, as a function of the stored object. */
import { type PlumbObject, terminal } from '@plumb/schemas';
import { applyPatch, type Operation } from 'rfc6902';
import { badRequest } from './failure.ts';
import { mergePatch } from './merge-patch.ts';
import type { ApiRequest } from './request.ts';
import type { Resource } from './resource.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

/** As many operations as a Kubernetes API server takes. */
const MAX_OPERATIONS = 10_000;

/** Throws PlumbError `UnsupportedMediaType` for a patch of a type that is not served, `BadRequest` for a broken one. */
export async function patchOf(request: ApiRequest, resource: Resource): Promise<(current: PlumbObject) => unknown> {
  const type = request.contentType;
  if (type === MERGE || (type === STRATEGIC && resource.group === '')) {
    const patch = await request.json([type]);
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
      throw badRequest('a merge patch is an object');
    }
    if (type === STRATEGIC) refuseDirectives(patch);
    return (current) => mergePatch(structuredClone(current), patch);
  }
  if (type === JSON_PATCH) {
    const operations = parseOperations(await request.json([type]));
    return (current) => applied(operations, structuredClone(current));
  }
  const hint =
    type === APPLY
      ? 'server-side apply is not served yet: leave out --server-side'
      : type === STRATEGIC
        ? 'strategic merge patches are for built-in kinds: use --type=merge'
        : `use ${MERGE} or ${JSON_PATCH}`;
  throw terminal(
    'UnsupportedMediaType',
    `a patch of type ${type || '(none)'} is not served for ${resource.plural}: ${hint}`,
  );
}

/** kubectl sends strategic patches for core kinds. Without directives, and on maps alone, they are merge patches. */
function refuseDirectives(patch: object): void {
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$') || Array.isArray(value)) {
      throw terminal('UnsupportedMediaType', `a strategic merge patch with ${key} is not served: use --type=merge`);
    }
    if (typeof value === 'object' && value !== null) refuseDirectives(value);
  }
}

function parseOperations(body: unknown): Operation[] {
  if (!Array.isArray(body)) throw badRequest('a JSON patch is a list of operations');
  if (body.length > MAX_OPERATIONS) throw badRequest(`a JSON patch has at most ${MAX_OPERATIONS} operations`);
  for (const operation of body) {
    const { op, path } = (operation ?? {}) as { op?: unknown; path?: unknown };
    if (typeof op !== 'string' || typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) {
      throw badRequest('each operation of a JSON patch has an op and a path that is empty or begins with /');
    }
  }
  return body as Operation[];
}

function applied(operations: Operation[], document: PlumbObject): unknown {
  const holder = { document };
  // The library changes what it is given, and cannot replace the root itself.
  const within = operations.map((operation) => ({
    ...structuredClone(operation),
    path: `/document${operation.path}`,
    ...('from' in operation ? { from: `/document${operation.from}` } : {}),
  }));
  const failures = applyPatch(holder, within as Operation[]);
  const index = failures.findIndex((failure) => failure !== null);
  if (index >= 0) {
    const { op, path } = operations[index]!;
    // What the library says of a failed test repeats the values.
    throw terminal('Invalid', `operation ${index} of the JSON patch, ${op} ${path}, does not fit the object`, [
      { field: path, message: op === 'test' ? 'is not what the patch expects' : `cannot be reached by ${op}` },
    ]);
  }
  return holder.document;
}
