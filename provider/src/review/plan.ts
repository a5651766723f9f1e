/** Asking the server about one planned resource. Without a server the plan is made all the same, and says what it could not check. */
import { PlumbError } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Session } from '../session.ts';
import { differs, draftOf, referenceOf } from '../value/object.ts';
import type { Step } from '../value/path.ts';
import { equal, isWhollyKnown, type ObjectValue } from '../value/value.ts';
import { deletionDiagnostics, refusedDiagnostics, replacementDiagnostics, reviewDiagnostics } from './diagnostics.ts';
import { manifestOf } from './question.ts';
import type { Reviews } from './reviews.ts';

/** What becomes of the resource: `planned` is null where it goes. */
export interface Change {
  prior: ObjectValue | null;
  planned: ObjectValue | null;
  requiresReplace: readonly Step[][];
}

export async function reviewed(kind: TerraformKind, change: Change, session: Session): Promise<Diagnostic[]> {
  if (!session.isConfigured) return [];
  const { reviews, client, stack } = session;
  const by = { manager: stack.manager, force: stack.force };
  const ask: Ask = (target) => reviews.ask(client, by, target);
  try {
    return await review(kind, change, reviews, ask);
  } catch (thrown) {
    return unchecked(PlumbError.from(thrown, 'review'), session);
  }
}

type Ask = (target: Parameters<Reviews['ask']>[2]) => ReturnType<Reviews['ask']>;

async function review(
  kind: TerraformKind,
  { prior, planned, requiresReplace }: Change,
  reviews: Reviews,
  ask: Ask,
): Promise<Diagnostic[]> {
  if (!planned) {
    const answer = prior ? await ask(deletion(kind, prior)) : undefined;
    return answer && 'own' in answer ? deletionDiagnostics(answer) : [];
  }
  const declared = Object.entries(planned).filter(([name]) => name !== 'status');
  const { name } = planned;
  if (declared.some(([, value]) => !isWhollyKnown(value))) {
    if (typeof name === 'string') reviews.leaveOut(kind.kind.kind, titleIn(kind, planned));
    return [];
  }
  if (prior && requiresReplace.length > 0) {
    const same = equal(prior.name, name) && equal(prior.project, planned.project);
    const answer = same ? await ask(deletion(kind, prior)) : undefined;
    return answer && 'own' in answer ? replacementDiagnostics(answer, requiresReplace[0]!) : [];
  }
  if (prior && !differs(kind, prior, planned)) return [];
  const answer = await ask({ object: manifestOf(kind.kind, draftOf(kind, planned)) });
  if ('fields' in answer) return refusedDiagnostics(kind, answer.fields);
  const changed = prior ? declared.map(([one]) => one).filter((one) => !equal(planned[one], prior[one])) : [];
  const { problem } = answer.own;
  if (problem && reviews.concernsUnknown(problem.message)) return [];
  return reviewDiagnostics(kind, answer, changed);
}

function deletion(kind: TerraformKind, prior: ObjectValue) {
  const { name, namespace } = referenceOf(kind, prior);
  return { deletion: { kind: kind.kind.kind, name, ...(namespace === undefined ? {} : { namespace }) } };
}

function titleIn(kind: TerraformKind, planned: ObjectValue): string {
  const { name, project } = planned;
  return kind.kind.scope === 'Cluster' || typeof project !== 'string' ? String(name) : `${project}/${String(name)}`;
}

/** Once a run: the same holds for all that is planned. */
function unchecked(error: PlumbError, session: Session): Diagnostic[] {
  // A server of before knows no reviews; what ends Terraform is told already.
  if (error.reason === 'NotFound' || error.reason === 'Interrupted') return [];
  if (session.isTold(error) || session.told.has(error.reason)) return [];
  session.told.add(error.reason);
  return [
    {
      severity: 'warning',
      summary: `The plan was not checked by the server: ${error.reason}`,
      detail: `${error.message.replace(/[.?!]?$/, '.')} What the plan could not say: where things will be, what restarts or loses data, and whether it all fits.`,
    },
  ];
}
