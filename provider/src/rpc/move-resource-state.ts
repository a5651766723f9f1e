import { terminal } from '@plumb/schemas';
import { kindOfType } from '../resources.ts';
import { objectFromState, parseState } from '../value/json.ts';
import { dynamic, identified } from '../wire/convert.ts';
import type { MoveReply, MoveRequest } from '../wire/messages.ts';
import { refuseNewer } from './newer.ts';
import { guarded } from './rpc.ts';

/** A resource may come from this provider under another registry's name, or under a type that it had before. */
export const moveResourceState = guarded<MoveRequest, MoveReply>('The resource cannot be moved', (request) => {
  const { sourceProviderAddress, sourceTypeName, targetTypeName, sourceState } = request;
  const kind = kindOfType(targetTypeName);
  const { resource, formerly } = kind;
  if (![targetTypeName, ...formerly].includes(sourceTypeName) || !sourceProviderAddress.endsWith('/plumb/plumb')) {
    throw terminal(
      'NotMovable',
      `A ${sourceTypeName} of ${sourceProviderAddress} is not a ${targetTypeName}: remove it from the state and import it.`,
    );
  }
  refuseNewer(request.sourceSchemaVersion);
  const state = objectFromState(parseState(Buffer.from(sourceState.json).toString('utf8')), resource);
  return {
    targetState: dynamic(state, resource),
    targetPrivate: request.sourcePrivate,
    ...identified('targetIdentity', kind, state),
  };
});
