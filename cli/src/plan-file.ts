/** `plumb apply --plan FILE`: what was planned, if the world has not moved. */
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { kindByName } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { Session } from './command.ts';
import { type Manifest, manifestsIn } from './manifests.ts';
import { checkPlan, readPlan } from './plan-review.ts';
import { nameOfPlanned } from './plan-text.ts';
import type { Pruned } from './prune.ts';
import { resourceByKind } from './resources.ts';

/** Throws PlumbError `PlanOutdated` or `BadPlan` (terminal). */
export async function fromPlan(file: string, session: Session): Promise<{ manifests: Manifest[]; pruned: Pruned[] }> {
  const plan = await readPlan(file);
  const { objects = [], deletions = [] } = plan.spec;
  const bytes = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const manifests = manifestsIn([{ file, bytes }], session.namespace);
  await checkPlan(session.client, plan, nameOfPlanned);
  const pruned = deletions.map(({ kind, namespace, name }) => {
    const definition = kindByName(kind);
    const resource = definition && resourceByKind(apiVersionOf(definition), kind);
    if (!resource) throw terminal('BadPlan', `${file} names the kind ${kind}, which this plumb does not know`);
    const planned = plan.status.objects.find(
      (item) => item.action === 'Delete' && item.kind === kind && item.name === name && item.namespace === namespace,
    );
    return { resource, namespace, name, ...(planned?.uid === undefined ? {} : { uid: planned.uid }) };
  });
  return { manifests, pruned };
}
