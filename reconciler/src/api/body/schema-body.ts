/** A body that is no stored object, judged by its schema: all mistakes at once, and what is not known as `fieldValidation` says. */
import { type PlumbError, terminal } from '@plumb/schemas';
import { type Check, compileSchema } from '@plumb/schemas/project/validate-compile.ts';
import { Mistakes } from '@plumb/schemas/project/validate-mistakes.ts';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { dropUnknownTo } from '@plumb/schemas/project/validate-unknown.ts';
import type { FieldValidation } from '../options.ts';
import { JSON_TYPE } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { duplicateSentences, refuseDuplicates } from './json.ts';

const checks = new WeakMap<SchemaNode, Check>();

/**
 * The body as the schema describes it; an empty object when none came. Under a level that is not Strict, what is not known is taken
 * away. `warn`: told what was. `nulls`: whether a field that is null counts as one that is not there. Throws PlumbError `BadRequest`, `UnsupportedMediaType`, or `Invalid` (422).
 */
export async function schemaBody(
  request: ApiRequest,
  schema: SchemaNode,
  level: FieldValidation,
  warn: (sentences: readonly string[]) => void,
  nulls: 'absent' | 'judged' = 'judged',
): Promise<unknown> {
  const { value, duplicates } = await request.parsed([JSON_TYPE]);
  if (level === 'Strict') refuseDuplicates(duplicates);
  else if (level === 'Warn') warn(duplicateSentences(duplicates));
  const body: unknown = value === undefined ? {} : value;
  if (nulls === 'absent') dropNulls(body);
  const dropped = level === 'Strict' ? [] : dropUnknownTo(schema, body);
  if (level === 'Warn') warn(dropped.map(({ field, message }) => `${field} ${message}`));
  const mistakes = new Mistakes();
  checks.getOrInsertComputed(schema, compileSchema)(body, mistakes);
  if (mistakes.count > 0) throw invalidBody(request.path, mistakes);
  return body;
}

/** As Kubernetes reads its own types: clients that know objects by type send null for what they do not say. */
function dropNulls(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (inner === null && !Array.isArray(value)) delete (value as Record<string, unknown>)[name];
    else dropNulls(inner);
  }
}

function invalidBody(path: string, mistakes: Mistakes): PlumbError {
  const errors = mistakes.list().map(({ field, message }) => ({ field: field === '' ? 'the body' : field, message }));
  const rules = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return terminal('Invalid', `what was sent to ${path.slice(0, 200)} is invalid: ${rules}`, errors);
}
