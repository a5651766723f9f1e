import { hasOtherOwners } from '../ownership.ts';
import { kindOfType } from '../resources.ts';
import { BEFORE_STACKS } from '../stack.ts';
import { unfinished } from '../unfinished.ts';
import { declarerOf, referenceOf, stateOf, uidOf } from '../value/object.ts';
import { privateBytes, privateIn, privateOf } from '../value/private.ts';
import { dynamic, identified, objectIn, wireDiagnostics } from '../wire/convert.ts';
import type { ReadReply, ReadRequest } from '../wire/messages.ts';
import { PROVIDER_UNKNOWN, READ_MS } from './read.ts';
import { guarded } from './rpc.ts';

/** The state as the server has it; none when the object is gone, or another one bears its name. */
export const readResource = guarded<ReadRequest, ReadReply>(
  'The resource cannot be read',
  async (request, session) => {
    const kind = kindOfType(request.typeName);
    const held = objectIn(request.currentState, kind.resource);
    if (!held) return { newState: dynamic(null, kind.resource), private: request.private };
    if (session.putsOff(request.clientCapabilities)) {
      const { currentState, private: kept } = request;
      return {
        newState: currentState,
        private: kept,
        deferred: PROVIDER_UNKNOWN,
        ...identified('newIdentity', kind, held),
      };
    }
    const limit = session.client.deadline(READ_MS);
    try {
      const live = await session.reads.read(session.client, referenceOf(kind, held), limit);
      const uid = uidOf(held);
      const same = live && (uid === undefined || live.metadata.uid === uid);
      if (!same) return { newState: dynamic(null, kind.resource) };
      if (hasOtherOwners(live, session.stack.manager)) session.shared.set(live.metadata.uid, live);
      session.creates.known(session.client, referenceOf(kind, held), live, session.stack);
      const manager = declarerOf(live, [session.stack.manager, privateIn(request.private).manager, BEFORE_STACKS]);
      const state = stateOf(kind, live, held, manager);
      return {
        newState: dynamic(state, kind.resource),
        private: privateBytes(privateOf(live, manager)),
        diagnostics: wireDiagnostics(unfinished(kind, live, session)),
        ...identified('newIdentity', kind, state),
      };
    } finally {
      limit.end();
    }
  },
  ({ currentState, private: kept }) => ({ newState: currentState, private: kept }),
  { saysOnce: true },
);
