import { actionOf } from '../actions/list.ts';
import { errorDiagnostics } from '../diagnostic.ts';
import { isWhollyKnown } from '../value/value.ts';
import { objectIn, wireDiagnostics } from '../wire/convert.ts';
import type { ActionEvent, ActionRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded, type StreamRpc, verdict } from './rpc.ts';

/** How long an action may take, in milliseconds: as long as an apply by default. */
const ACTION_MS = 600_000;

const judged = (summary: string) =>
  guarded<ActionRequest, WithDiagnostics>(summary, ({ actionType, config }) => {
    const { attributes, check } = actionOf(actionType);
    return verdict(check(objectIn(config, attributes) ?? {}));
  });

export const validateActionConfig = judged('The action cannot be validated');

/** What is known at plan is checked again; nothing else can be foretold of an action. */
export const planAction = judged('The action cannot be planned');

/** Does it, telling what was done; the last event says how it ended. */
export const invokeAction: StreamRpc<ActionRequest, ActionEvent> = async function* (request, session) {
  try {
    const { attributes, check, run } = actionOf(request.actionType);
    const config = objectIn(request.config, attributes) ?? {};
    const wrong = isWhollyKnown(config) ? check(config) : [];
    if (wrong.length > 0) return yield { completed: { diagnostics: wireDiagnostics(wrong) } };
    const limit = session.client.deadline(ACTION_MS);
    try {
      for await (const message of run(session.client, config, limit)) yield { progress: { message } };
    } finally {
      limit.end();
    }
    yield { completed: { diagnostics: [] } };
  } catch (error) {
    const diagnostics = wireDiagnostics(errorDiagnostics(error, `${request.actionType} has failed`));
    yield { completed: { diagnostics } };
  }
};
