import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { ownershipDiagnostics } from '../ownership.ts';
import { kindOfType } from '../resources.ts';
import { reviewed } from '../review/plan.ts';
import type { Session } from '../session.ts';
import { unfinishedWarnings } from '../unfinished.ts';
import { checkConfig } from '../value/check.ts';
import { differs, uidOf } from '../value/object.ts';
import { planResource } from '../value/plan.ts';
import { privateIn } from '../value/private.ts';
import { isWhollyKnown, type ObjectValue } from '../value/value.ts';
import { dynamic, identified, objectIn, wireDiagnostics, wirePath } from '../wire/convert.ts';
import type { PlanReply, PlanRequest } from '../wire/messages.ts';
import { guarded } from './rpc.ts';

/** What the configuration will come to, and what the server says of that. What does not change is not asked about. */
export const planResourceChange = guarded<PlanRequest, PlanReply>(
  'The resource cannot be planned',
  async (request, session) => {
    const kind = kindOfType(request.typeName);
    const config = objectIn(request.config, kind.resource);
    if (!config) {
      const prior = objectIn(request.priorState, kind.resource);
      const diagnostics = await reviewed(kind, { prior, planned: null, requiresReplace: [] }, session);
      return {
        plannedState: dynamic(null, kind.resource),
        plannedPrivate: request.priorPrivate,
        diagnostics: wireDiagnostics(diagnostics),
      };
    }
    // Values that were unknown when Terraform validated may be known now.
    const diagnostics: Diagnostic[] = isWhollyKnown(config) ? checkConfig(kind, config) : [];
    const prior = objectIn(request.priorState, kind.resource);
    const kept = privateIn(request.priorPrivate);
    const { state, requiresReplace } = planResource(kind, config, prior, kept);
    if (prior) diagnostics.push(...unfinishedWarnings(kind, prior, kept, session));
    diagnostics.push(...ofOthers(kind, prior, state, session));
    // What is wrong already needs no review.
    if (!diagnostics.some(({ severity }) => severity === 'error'))
      diagnostics.push(...(await reviewed(kind, { prior, planned: state, requiresReplace }, session)));
    return {
      plannedState: dynamic(state, kind.resource),
      requiresReplace: requiresReplace.map(wirePath),
      plannedPrivate: request.priorPrivate,
      diagnostics: wireDiagnostics(diagnostics),
      ...identified('plannedIdentity', kind, state),
    };
  },
  ({ priorState }) => ({ plannedState: priorState }),
);

/** What others own of an object that changes, as it was read in this run. */
function ofOthers(
  kind: TerraformKind,
  prior: ObjectValue | null,
  planned: ObjectValue,
  session: Session,
): Diagnostic[] {
  const uid = prior ? uidOf(prior) : undefined;
  const live = uid === undefined ? undefined : session.shared.get(uid);
  if (!prior || uid === undefined || !live) return [];
  session.shared.delete(uid);
  return differs(kind, prior, planned) ? ownershipDiagnostics(kind, live, planned, session.stack) : [];
}
