/** `PlanReview`: what applying manifests would do, without doing it. */
import { createHash } from 'node:crypto';
import { everyKind, groupOf, kindByName, type PlumbObject, namespace as project, terminal } from '@plumb/schemas';
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { planReview } from '@plumb/schemas/reviews/plan-review.ts';
import type { AnsweredKind } from '../api/answered.ts';
import type { Context } from '../controllers/controller.ts';
import { type Declaration, type Deletion, type Preview, previewAll } from '../controllers/preview.ts';
import { keyOfDeclared } from '../controllers/preview-objects.ts';
import { keys, parseObjectKey } from '../store/keys.ts';
import { decodeObject } from '../store/object-codec.ts';

type Question = ValueOf<typeof planReview.spec>;
type Answer = ValueOf<typeof planReview.status>;
type Planned = NonNullable<Answer['objects']>[number];

/** `context` throws while the server loads. */
export function planReviews(context: () => Context): AnsweredKind {
  return {
    definition: planReview,
    async answer(spec, { level, warn, authorize, may }) {
      const now = context();
      const { objects: declared = [], deletions: named = [], manager, force = false } = spec as Question;
      const most = now.limits.plannedObjects;
      if (declared.length + named.length > most)
        throw terminal(
          'Invalid',
          `spec.objects and spec.deletions: a plan is of at most ${most} objects, and these are ${declared.length + named.length}: plan them in parts`,
        );
      const objects = declared as readonly Declaration[];
      const deletions = named.map(deletionOf);
      // The plan says how what is there differs.
      for (const asked of [...objects.map(readOfDeclared), ...deletions.map(({ key }) => readOf(key))])
        if (asked) authorize(asked, 'a plan compares with it');
      // A person plans what they have just made.
      const revision = now.store.revision();
      await now.cache.shows(revision);
      const stored = await projectsOf(now, objects);
      const { own, affected } = previewAll(now, objects, {
        ...{ level, warn, deletions, stored },
        ...(manager ? { by: { manager, force } } : {}),
      });
      for (const one of own) {
        const problem = withoutProject(one, objects, stored);
        if (problem) one.problem = problem;
      }
      const told = affected.filter((one) => {
        const asked = readOfDeclared({ kind: one.kind, metadata: { ...one } });
        return asked === undefined || may(asked);
      });
      if (told.length < affected.length)
        warn([`${affected.length - told.length} more objects are affected, which you may not read`]);
      const planned = { objects: own.map(view), affected: told.map(view) };
      return { revision: String(revision), digest: digestOf(planned), ...planned };
    },
  };
}

function deletionOf({ kind: name, ...which }: NonNullable<Question['deletions']>[number]): Deletion {
  const kind = kindByName(name);
  if (!kind) throw terminal('BadRequest', `there is no kind ${shown(name)} whose deletion can be planned`);
  return { kind: kind.kind, key: keyOfDeclared(kind, which) };
}

function readOfDeclared({
  kind: name,
  metadata,
}: Pick<Declaration, 'kind'> & { metadata: { name: string; namespace?: string | undefined } }) {
  const kind = kindByName(name);
  return kind && readOf(keyOfDeclared(kind, metadata));
}

function readOf(key: string) {
  const { plural = '', namespace = '', name = '' } = parseObjectKey(key) ?? {};
  const kind = everyKind.find((one) => one.plural === plural);
  return kind && { verb: 'get', group: groupOf(kind), resource: plural, namespace, name };
}

/** The projects that are declared, and those of declared objects, as far as they are there. */
async function projectsOf({ store }: Context, objects: readonly Declaration[]): Promise<Map<string, PlumbObject>> {
  const names = new Set<string>();
  for (const { kind, metadata } of objects) {
    if (kind === project.kind) names.add(metadata.name);
    else if (kindByName(kind)?.scope === 'Namespaced') names.add(metadata.namespace ?? 'default');
  }
  const found = new Map<string, PlumbObject>();
  for (const name of names) {
    const key = keys.object(project.plural, undefined, name);
    const entry = await store.get(key);
    if (entry) found.set(key, decodeObject(entry));
  }
  return found;
}

/** Nothing can be made in a project that is not there, nor declared. */
function withoutProject(
  { namespace, action }: Preview,
  objects: readonly Declaration[],
  stored: ReadonlyMap<string, PlumbObject>,
): Preview['problem'] {
  if (namespace === undefined || action !== 'create') return undefined;
  if (stored.has(keys.object(project.plural, undefined, namespace))) return undefined;
  if (objects.some(({ kind, metadata }) => kind === project.kind && metadata.name === namespace)) return undefined;
  return { reason: 'NamespaceNotFound', message: `there is no project ${namespace}: declare it, too`, terminal: true };
}

const ACTIONS = { create: 'Create', update: 'Update', replace: 'Replace', delete: 'Delete', none: 'None' } as const;

function view({
  kind,
  namespace,
  name,
  action,
  before,
  changes,
  steps,
  placement,
  problem,
  note,
  contested,
  restart,
}: Preview): Planned {
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    action: ACTIONS[action],
    ...before,
    changes: changes.map(({ field, from, to, sensitive }) => ({
      field,
      ...(sensitive
        ? { secret: true }
        : { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }),
    })),
    steps: steps.map(({ id, ...step }) => ({ what: id, ...step })),
    ...(placement === undefined
      ? {}
      : {
          host: placement.host,
          addresses: placement.interfaces.map(({ name: of, l3Network, addresses, macAddress }) => ({
            ...{ interface: of, network: l3Network, addresses: [...addresses] },
            ...(macAddress === undefined ? {} : { macAddress }),
          })),
        }),
    ...(problem === undefined ? {} : { problem }),
    ...(contested === undefined ? {} : { contested }),
    ...(restart === undefined ? {} : { restart }),
    ...(note === undefined ? {} : { note }),
  } as Planned;
}

function digestOf(planned: object): string {
  return createHash('sha256').update(JSON.stringify(planned)).digest('hex').slice(0, 32);
}
