/**
 * What a request asks, as authorization sees it: verb, resource, name, or a path. It is read from method and path alone, as
 * Kubernetes does it (its RequestInfo), so that every request has it, also one for something that is not served.
 */
import type { Attributes } from '../authorization/policy.ts';
import { flagOf } from './list-options.ts';
import type { ApiRequest } from './request.ts';
import { stateAttributes } from './states/paths.ts';

const VERBS: Record<string, string> = {
  ...{ GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' },
};

/** What of a namespace itself stands where the resources in it do. */
const OF_NAMESPACES: readonly string[] = ['status', 'finalize'];

export function attributesOf({
  method,
  path,
  query,
  segments,
}: Pick<ApiRequest, 'method' | 'path' | 'query' | 'segments'>): Attributes {
  const ofState = stateAttributes({ method, segments });
  if (ofState) return ofState;
  const [root, ...rest] = segments;
  const least = root === 'api' ? 2 : 3;
  if ((root !== 'api' && root !== 'apis') || rest.length < least) return { verb: method.toLowerCase(), path };
  const [group, parts] = root === 'api' ? ['', rest.slice(1)] : [rest[0]!, rest.slice(2)];
  let namespace = '';
  let place: readonly string[] = parts;
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1]!;
    if (parts.length > 2 && !OF_NAMESPACES.includes(parts[2]!)) place = parts.slice(2);
  }
  const [resource = '', name = '', subresource = ''] = place;
  const verb = VERBS[method] ?? '';
  const about = { group, resource, subresource, namespace, name };
  if (name !== '') return { verb, ...about };
  if (verb === 'get') return { verb: flagOf(query, 'watch') ? 'watch' : 'list', ...about, name: selectedName(query) };
  return { verb: verb === 'delete' ? 'deletecollection' : verb, ...about };
}

/** The one object that a list is restricted to, so that a right to that object is enough. */
function selectedName(query: URLSearchParams): string {
  const name = /(?:^|,)metadata\.name==?([^,!=\\]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '';
  return /[/%]|^\.\.?$/.test(name) ? '' : name;
}
