import { create } from '../apply/create.ts';
import { remove } from '../apply/remove.ts';
import { update } from '../apply/update.ts';
import { kindOfType } from '../resources.ts';
import { privateBytes, privateIn } from '../value/private.ts';
import { dynamic, identified, objectIn, wireDiagnostics } from '../wire/convert.ts';
import type { ApplyReply, ApplyRequest } from '../wire/messages.ts';
import { guarded } from './rpc.ts';

/** Creates, updates or deletes, and says what there is afterwards, also when it failed. */
export const applyResourceChange = guarded<ApplyRequest, ApplyReply>(
  'The resource cannot be applied',
  async (request, session) => {
    const kind = kindOfType(request.typeName);
    const prior = objectIn(request.priorState, kind.resource);
    const planned = objectIn(request.plannedState, kind.resource);
    const { client, stack } = session;
    const kept = privateIn(request.plannedPrivate);
    session.reads.forget();
    const outcome = !planned
      ? await remove(client, kind, prior ?? {}, stack, kept)
      : prior
        ? await update(client, kind, prior, planned, stack, kept)
        : await session.during(create(client, kind, planned, stack, session.creates));
    return {
      newState: dynamic(outcome.state, kind.resource),
      private: privateBytes(outcome.kept ?? {}),
      diagnostics: wireDiagnostics(outcome.diagnostics),
      ...identified('newIdentity', kind, outcome.state),
    };
  },
  ({ priorState, plannedPrivate }) => ({ newState: priorState, private: plannedPrivate }),
);
