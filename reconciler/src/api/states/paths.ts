/** Addresses of Terraform's http backend: `/terraform/states/<project>/<name>`, and what a request there asks for. */
import { API_GROUP, terraformState } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { ResourceAttributes } from '../../authorization/policy.ts';
import type { Audited } from '../audit.ts';
import type { Asked } from '../fairness/demand.ts';
import type { ApiRequest } from '../request.ts';

type StateRequest = Pick<ApiRequest, 'method' | 'segments'>;

const ROOT = ['terraform', 'states'];

/** By method. LOCK and UNLOCK are those of WebDAV (RFC 4918), which Terraform uses unless it is told otherwise. */
const VERBS: Record<string, string> = {
  ...{ GET: 'get', HEAD: 'get', POST: 'update', PUT: 'update', DELETE: 'delete', LOCK: 'lock', UNLOCK: 'lock' },
};

/** Whether the path is for Terraform, or nearly: what is answered there must never look like a state that is empty. */
export function isOfTerraform(request: Pick<ApiRequest, 'segments'>): boolean {
  try {
    return request.segments.find((segment) => segment !== '')?.toLowerCase() === ROOT[0];
  } catch {
    // A path that is malformed is refused by who reads it.
    return false;
  }
}

/** The state that the path names; undefined when it names none. */
export function stateOf({ segments }: Pick<ApiRequest, 'segments'>): { namespace: string; name: string } | undefined {
  const [root, states, namespace, name, ...rest] = segments;
  if (root !== ROOT[0] || states !== ROOT[1] || !namespace || !name || rest.length > 0) return undefined;
  return { namespace, name };
}

/** The right that the request needs; undefined when it names no state. */
export function stateAttributes(request: StateRequest): ResourceAttributes | undefined {
  const state = stateOf(request);
  if (!state) return undefined;
  const verb = VERBS[request.method] ?? '';
  return { verb, group: API_GROUP, resource: terraformState.plural, subresource: '', ...state };
}

/** Reads are audited as well: what is read is secret. */
export function auditedState(request: StateRequest): Audited | undefined {
  const state = isOfTerraform(request) ? stateOf(request) : undefined;
  if (!state) return undefined;
  const verb = request.method === 'UNLOCK' ? 'unlock' : VERBS[request.method];
  return { verb, group: API_GROUP, plural: terraformState.plural, ...state, subresource: undefined, reads: true };
}

/** Bounds on a request to a state: its own in the place of those on objects. */
export function stateLimits(request: StateRequest, limits: ServerLimits): ServerLimits {
  const verb = stateAttributes(request)?.verb;
  if (verb === undefined) return limits;
  return { ...limits, bodyBytes: verb === 'update' ? limits.stateBytes : limits.stateLockBytes };
}

/** To whom it is compared when there is more to do than can be done. */
export function askedOfState(request: StateRequest): Asked | undefined {
  const verb = stateAttributes(request)?.verb;
  return verb === undefined
    ? undefined
    : { scope: 'Namespaced', verb: verb === 'get' ? 'get' : 'update', single: true };
}

/** The token of `Authorization: Basic`, whose password it is, whatever the user's name. */
export function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const password = colon < 0 ? '' : text.slice(colon + 1);
  return /^\S+$/.test(password) ? password : undefined;
}
