import type { Diagnostic } from '../diagnostic.ts';
import { kindOfType } from '../resources.ts';
import { unfinishedWarnings } from '../unfinished.ts';
import { checkConfig } from '../value/check.ts';
import { planResource } from '../value/plan.ts';
import { privateIn } from '../value/private.ts';
import { isWhollyKnown } from '../value/value.ts';
import { dynamic, objectIn, wireDiagnostics, wirePath } from '../wire/convert.ts';
import type { PlanReply, PlanRequest } from '../wire/messages.ts';
import { guarded } from './rpc.ts';

/** What the configuration will come to. Asks no server. */
export const planResourceChange = guarded<PlanRequest, PlanReply>(
  'The resource cannot be planned',
  (request, session) => {
    const kind = kindOfType(request.typeName);
    const config = objectIn(request.config, kind.resource);
    // A destroy: there is no configuration, and nothing to plan.
    if (!config) return { plannedState: dynamic(null, kind.resource), plannedPrivate: request.priorPrivate };
    // Values that were unknown when Terraform validated may be known now.
    const diagnostics: Diagnostic[] = isWhollyKnown(config) ? checkConfig(kind, config) : [];
    const prior = objectIn(request.priorState, kind.resource);
    const kept = privateIn(request.priorPrivate);
    const { state, requiresReplace } = planResource(kind, config, prior, kept);
    if (prior) diagnostics.push(...unfinishedWarnings(kind, prior, kept, session));
    return {
      plannedState: dynamic(state, kind.resource),
      requiresReplace: requiresReplace.map(wirePath),
      plannedPrivate: request.priorPrivate,
      diagnostics: wireDiagnostics(diagnostics),
    };
  },
  ({ priorState }) => ({ plannedState: priorState }),
);
