/** Asking the server what applying manifests would do, and keeping the answer in a file. */
import { open, readFile } from 'node:fs/promises';
import type { Client } from '@plumb/client/client.ts';
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { API_GROUP_VERSION } from '@plumb/schemas/meta/object.ts';
import { writtenFields } from '@plumb/schemas/project/validate-schema.ts';
import type { planReview } from '@plumb/schemas/reviews/plan-review.ts';
import type { Target } from './follow.ts';
import type { Manifest } from './manifests.ts';
import { nameOfPlanned } from './plan-text.ts';
import { MANAGER } from './submit.ts';

const PATH = '/apis/plumb.dev/v1/planreviews';

export type PlanAnswer = Required<ValueOf<typeof planReview.status>>;
export type PlannedObject = PlanAnswer['objects'][number];
type Question = ValueOf<typeof planReview.spec>;

/** A question with its answer, as a plan file holds it. */
export interface Plan {
  apiVersion: string;
  kind: 'PlanReview';
  metadata: object;
  spec: Question;
  status: PlanAnswer;
}

export async function askPlan(client: Client, spec: Question): Promise<Plan> {
  const body = { apiVersion: API_GROUP_VERSION, kind: 'PlanReview', metadata: {}, spec };
  const { status } = await client.send('POST', PATH, { body }).catch((thrown) => {
    throw inNames(PlumbError.from(thrown, 'plan'), spec);
  });
  return { ...body, kind: 'PlanReview', status };
}

const PLACE = /^spec\.objects\[(\d+)\]\.?/;

/** The error with what people call the objects where it says their places in the question. */
function inNames(error: PlumbError, { objects = [] }: Question): PlumbError {
  if (!error.fields.some(({ field }) => PLACE.test(field))) return error;
  const fields = error.fields.map(({ field, message }) => {
    const object = objects[Number(PLACE.exec(field)?.[1])];
    if (!object) return { field, message };
    const { kind, metadata } = object;
    return { field: `${nameOfPlanned({ kind, ...metadata })}: ${field.replace(PLACE, '')}`, message };
  });
  return terminal(error.reason, error.message, fields);
}

/** The question: the manifests as they would be applied, and what would be deleted. */
export function questionOf(manifests: readonly Manifest[], deletions: readonly Target[] = [], force = false): Question {
  return {
    objects: manifests.map(({ resource, object, namespace }) => {
      const { name, labels, annotations } = object.metadata;
      const metadata = {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      };
      const { apiVersion, kind, definition } = resource;
      const fields = object as unknown as Record<string, unknown>;
      const body = definition ? writtenFields(definition).filter((field) => fields[field] !== undefined) : [];
      return { apiVersion, kind, metadata, ...Object.fromEntries(body.map((field) => [field, fields[field]])) };
    }),
    manager: MANAGER,
    ...(force ? { force } : {}),
    ...(deletions.length === 0 ? {} : { deletions: deletions.map(whichOf) }),
  } as Question;
}

function whichOf({ resource, namespace, name }: Target) {
  return { kind: resource.kind, ...(namespace === undefined ? {} : { namespace }), name };
}

/** It holds what manifests hold, and so do their secrets: only its owner may read it. */
export async function writePlan(file: string, plan: Plan): Promise<void> {
  const opened = await open(file, 'w', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw terminal('BadArgument', `the plan cannot be written to ${file}: ${error.code ?? error.message}`);
  });
  try {
    // One that was there keeps its mode otherwise.
    await opened.chmod(0o600);
    await opened.writeFile(`${JSON.stringify(plan, null, 2)}\n`);
  } finally {
    await opened.close();
  }
}

/** Throws PlumbError `BadPlan` (terminal). */
export async function readPlan(file: string): Promise<Plan> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw terminal('BadPlan', `the plan ${file} cannot be read: ${error.code ?? error.message}`);
  });
  let plan: Partial<Plan>;
  try {
    plan = JSON.parse(text);
  } catch {
    throw terminal('BadPlan', `${file} is no plan: it is no JSON; plumb plan --out FILE writes one`);
  }
  const isPlan =
    plan?.kind === 'PlanReview' && typeof plan.status?.digest === 'string' && Array.isArray(plan.spec?.objects);
  if (!isPlan) throw terminal('BadPlan', `${file} is no plan: plumb plan --out FILE writes one`);
  return plan as Plan;
}

/**
 * Asks the same again. Throws PlumbError `PlanOutdated` (terminal), which names what would be done otherwise now than when the plan
 * was made.
 */
export async function checkPlan(client: Client, plan: Plan, nameOf: (item: PlannedObject) => string): Promise<void> {
  const now = await askPlan(client, plan.spec).catch((thrown) => {
    const error = PlumbError.from(thrown, 'plan');
    if (error.reason !== 'Invalid') throw error;
    throw terminal('PlanOutdated', `PlanOutdated: what was planned is refused now: ${error.message}`, error.fields);
  });
  if (now.status.digest === plan.status.digest) return;
  const [before, after] = [itemsOf(plan), itemsOf(now)];
  const changed = new Set<string>();
  for (const items of [before, after])
    for (const [name, { text }] of items)
      if (before.get(name)?.text !== text || after.get(name)?.text !== text) changed.add(name);
  const names = [...changed].map((name) => nameOf((after.get(name) ?? before.get(name))!.item));
  throw terminal(
    'PlanOutdated',
    `PlanOutdated: since the plan was made, at revision ${plan.status.revision}, the world has moved: at revision ${now.status.revision} something else would become of ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ''}; plan again`,
  );
}

/** Objects that are named in a sentence. */
const NAMED = 5;

function itemsOf({ status: { objects, affected } }: Plan): Map<string, { item: PlannedObject; text: string }> {
  return new Map(
    [...objects, ...affected].map((item) => [
      `${item.kind}/${item.namespace ?? ''}/${item.name}`,
      { item, text: JSON.stringify(item) },
    ]),
  );
}
