/** Which objects a list or a watch is about. */
import type { PlumbObject } from '@plumb/schemas';
import { badRequest } from './failure.ts';
import type { Resource } from './resource.ts';
import { labelSelector } from './selector-labels.ts';

export interface Selection {
  /** The one name that can match, so that nothing else needs to be read. */
  name: string | undefined;
  /** Undefined when every object (of that name) is selected: then none needs to be parsed. */
  matches: ((object: PlumbObject) => boolean) | undefined;
}

/** The selection of `labelSelector` and `fieldSelector`. Throws PlumbError `BadRequest` for one that cannot be read. */
export function selectionOf(resource: Resource, query: URLSearchParams): Selection {
  const tests: ((object: PlumbObject) => boolean)[] = [];
  const labels = labelSelector(query.get('labelSelector') ?? '');
  if (labels) tests.push((object) => labels(object.metadata.labels));
  let name: string | undefined;
  for (const { field, equal, value } of fieldRequirements(query.get('fieldSelector') ?? '')) {
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
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  const read = Object.hasOwn(resource.selectable, field) ? resource.selectable[field] : undefined;
  if (read) return read;
  const known = ['metadata.name', 'metadata.namespace', ...Object.keys(resource.selectable)].join(', ');
  throw badRequest(`field label not supported: ${field}; known for ${resource.plural}: ${known}`);
}

function fieldRequirements(text: string): { field: string; equal: boolean; value: string }[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, field, operator, value] = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part) ?? [];
      if (field === undefined) throw badRequest(`unable to parse the field selector ${JSON.stringify(text)}`);
      return { field, equal: operator !== '!=', value: value ?? '' };
    });
}
