/** Which objects a list or a watch is about. */
import type { PlumbObject } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { fieldRequirements } from '@plumb/schemas/selectors/fields.ts';
import { labelSelector } from '@plumb/schemas/selectors/labels.ts';
import { badRequest } from './failure.ts';
import type { Resource } from './resource.ts';

export interface Selection {
  /** The one name that can match, so that nothing else needs to be read. */
  name: string | undefined;
  /** Undefined when every object (of that name) is selected: then none needs to be parsed. */
  matches: ((object: PlumbObject) => boolean) | undefined;
}

/** The selection of `labelSelector` and `fieldSelector`. Throws PlumbError `BadRequest` for one that cannot be read. */
export function selectionOf(
  resource: Resource,
  query: URLSearchParams,
  { selectorBytes }: Pick<ServerLimits, 'selectorBytes'>,
): Selection {
  const given = (parameter: string) => bounded(parameter, query.get(parameter) ?? '', selectorBytes);
  const tests: ((object: PlumbObject) => boolean)[] = [];
  const labels = labelSelector(given('labelSelector'));
  if (labels) tests.push((object) => labels(object.metadata.labels));
  let name: string | undefined;
  for (const { field, equal, value } of fieldRequirements(given('fieldSelector'))) {
    if (field === 'metadata.name' && equal && name === undefined) name = value;
    else {
      const read = fieldReader(resource, field);
      tests.push((object) => (read(object) === value) === equal);
    }
  }
  const matches = tests.length === 0 ? undefined : (object: PlumbObject) => tests.every((test) => test(object));
  return { name, matches };
}

function fieldReader(resource: Resource, field: string): (object: PlumbObject) => string {
  if (field === 'metadata.name') return (object) => object.metadata.name;
  if (field === 'metadata.namespace' && resource.scope === 'Namespaced')
    return (object) => object.metadata.namespace ?? '';
  const read = Object.hasOwn(resource.selectable, field) ? resource.selectable[field] : undefined;
  if (read) return read;
  const namespace = resource.scope === 'Namespaced' ? ['metadata.namespace'] : [];
  const known = ['metadata.name', ...namespace, ...Object.keys(resource.selectable)].join(', ');
  throw badRequest(`field label not supported: ${field.slice(0, 80)}; known for ${resource.plural}: ${known}`);
}

function bounded(parameter: string, text: string, most: number): string {
  if (text.length <= most) return text;
  throw badRequest(`${parameter} has ${text.length} characters, and at most ${most} are taken: select less at a time`);
}
