/**
 * Terraform's http backend (developer.hashicorp.com/terraform/language/backend/http). It takes 404, 204 and an empty answer as a state
 * that holds nothing, and would make everything anew: none of them is ever given here. What waits for a person or for a lock is 423, with
 * what Terraform prints of a lock.
 */
import { API_GROUP, PlumbError, terminal, terraformState } from '@plumb/schemas';
import { NAME_PATTERN, SUBDOMAIN_PATTERN } from '@plumb/schemas/meta/schema.ts';
import type { Place } from '../../states/parts.ts';
import { blocked, lockedBy, StateLocked } from '../../states/refusal.ts';
import type { TerraformStates } from '../../states/states.ts';
import type { Store } from '../../store/store.ts';
import { authorize, resourceAttributes } from '../authorize.ts';
import type { ApiContext } from '../call.ts';
import { badRequest } from '../failure.ts';
import { JSON_TYPE, json, plain, type Reply } from '../reply.ts';
import type { ApiRequest } from '../request.ts';
import { keyOf, resourceOfKind } from '../resource.ts';
import { removeOne } from '../verbs/delete.ts';
import { givenBack, lockIdOf, md5Of, sentLock, sentState } from './body.ts';
import { stateOf } from './paths.ts';

export type StateBackend = (request: ApiRequest) => Promise<Reply>;

const NAMESPACE = new RegExp(NAME_PATTERN);
const NAME = new RegExp(SUBDOMAIN_PATTERN);
const MOST_NAME = 253;

/** Every path that begins with `/terraform`. A PlumbError that it throws becomes a Status; none of them is NotFound. */
export function stateBackend(context: ApiContext, store: Store, states: TerraformStates): StateBackend {
  const resource = resourceOfKind(terraformState, store);
  const methods: Record<string, (request: ApiRequest, place: Place) => Promise<Reply>> = {
    async GET(_, place) {
      const body = await states.read(place);
      return {
        status: 200,
        type: JSON_TYPE,
        body,
        headers: { 'content-md5': md5Of(body), 'cache-control': 'no-store' },
      };
    },
    async POST(request, place) {
      const lockId = lockIdOf(request);
      const { content, facts } = await sentState(request);
      await states.write(place, content, facts, { ...whoOf(request), lockId });
      return plain(200, 'written\n');
    },
    async LOCK(request, place) {
      await states.lock(place, await sentLock(request), whoOf(request));
      return plain(200, 'locked\n');
    },
    async UNLOCK(request, place) {
      await states.unlock(place, await givenBack(request), whoOf(request), () => mayBreak(request, place));
      return plain(200, 'unlocked\n');
    },
    async DELETE(request, place) {
      const { head, blocked } = await states.standing(place);
      if (blocked) throw blocked;
      if (head.lock && (head.lock.id !== lockIdOf(request) || head.lock.user !== request.user?.name))
        throw lockedBy(place, head.lock);
      const options = { dryRun: false, preconditions: {}, propagation: undefined, accepted: false };
      await removeOne(
        context,
        resource,
        { one: () => '' },
        keyOf(resource, place.namespace, place.name),
        place.name,
        options,
      );
      return plain(200, 'deleted\n');
    },
  };
  methods.PUT = methods.POST!;

  function mayBreak({ user }: ApiRequest, place: Place): void {
    const asked = { verb: 'delete', group: API_GROUP, resource: terraformState.plural, subresource: 'lock', ...place };
    authorize(context.access, user!, resourceAttributes(asked), 'it takes away the lock of somebody else');
  }

  return async (request) => {
    const place = stateOf(request);
    if (!place || !isName(place))
      throw badRequest('the address of a state is /terraform/states/PROJECT/NAME, in names that objects may have');
    const method = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (!method) throw terminal('MethodNotAllowed', `${request.method} is not served for states`);
    try {
      return await method(request, place);
    } catch (thrown) {
      if (thrown instanceof StateLocked) return json(423, printed(thrown), NOT_KEPT);
      const error = PlumbError.from(thrown, `${request.method} of the state ${place.namespace}/${place.name}`);
      // It went between two looks.
      if (error.reason === 'NotFound')
        return json(
          423,
          blocked(place, 'Deleted', 'was deleted meanwhile', context.ambient.clock.now()).lock,
          NOT_KEPT,
        );
      throw error;
    }
  };
}

/** Terraform 1.11 prints the ID of what it is answered and nothing else of it: where there is no lock, the reason stands there. */
function printed({ lock }: StateLocked) {
  return lock.Who === 'plumb' ? { ...lock, ID: lock.Info } : lock;
}

const NOT_KEPT = { 'cache-control': 'no-store' };

function isName({ namespace, name }: Place): boolean {
  return NAMESPACE.test(namespace) && name.length <= MOST_NAME && NAME.test(name);
}

function whoOf({ user, source }: ApiRequest) {
  return { user: user!.name, address: source.address };
}
