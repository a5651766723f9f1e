/**
 * Writes that somebody else commits: what a server-side apply or a deletion would store, judged as the request of its user would be,
 * so that many objects can become one commit. Nothing here writes.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Ambient, type KindDefinition, namespace, type PlumbObject, retryable, terminal } from '@plumb/schemas';
import type { Conflict } from '@plumb/schemas/apply/ownership.ts';
import { trackApply } from '@plumb/schemas/apply/track.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { isProtected, protectedError } from '@plumb/schemas/meta/protection.ts';
import type { User } from '../pki/tokens.ts';
import { keys } from '../store/keys.ts';
import { encodeObject, isBeingDeleted, removalOps } from '../store/object-codec.ts';
import type { Op, Precondition, Store } from '../store/store.ts';
import { admitChange, admitNew, storedText, type Taken } from './admission.ts';
import { applyConflict } from './apply-conflict.ts';
import { type Access, authorize, resourceAttributes } from './authorize.ts';
import { reread } from './body/json.ts';
import { timestamp } from './core/event-entries.ts';
import { namespaceResource } from './core/namespace.ts';
import { mostBytes } from './object-size.ts';
import { asValue, placeOf, withOwners } from './owners.ts';
import { storedObject } from './readable.ts';
import { keyOf, resourceOfKind, type WritableResource } from './resource.ts';
import { mayWrite } from './rights/writes.ts';
import { checkedDeclaration } from './verbs/apply.ts';

export interface StageOptions {
  store: Store;
  ambient: Ambient;
  limits: ServerLimits;
  access: Access;
}

export interface StagedWrite {
  key: string;
  /** Undefined where it is made. */
  before: PlumbObject | undefined;
  after: PlumbObject;
  preconditions: Precondition[];
  ops: Op[];
}

export interface Applying {
  user: User;
  manager: string;
  /** Whether fields that others own are taken over. */
  force(conflicts: readonly Conflict[]): boolean;
  /** Names of projects that come in the same commit. */
  coming: ReadonlySet<string>;
}

/**
 * What applying `declared` would store; undefined when nothing would change. Throws as a request would: PlumbError `Forbidden`,
 * `Invalid`, `Conflict` (terminal), and `ReferenceDeleting`, `ReferencePoisoned` (retry).
 */
export async function stageApply(
  options: StageOptions,
  definition: KindDefinition,
  declared: { metadata: { name: string; namespace?: string } },
  { user, manager, force, coming }: Applying,
): Promise<StagedWrite | undefined> {
  const { store, ambient, limits, access } = options;
  const resource = resourceFor(definition, store);
  const { name, namespace: project } = declared.metadata;
  const asked = { group: resource.group, resource: resource.plural, namespace: project ?? '', name };
  authorize(access, user, resourceAttributes({ verb: 'patch', ...asked }));
  const says = checkedDeclaration(resource, { name, namespace: project }, declared);
  const key = keyOf(resource, project, name);
  const entry = await store.get(key);
  if (!entry) authorize(access, user, resourceAttributes({ verb: 'create', ...asked }));
  const current = entry && understood(resource, entry, name);
  if (current?.metadata.deletionTimestamp !== undefined)
    throw retryable('ReferenceDeleting', `${resource.kind} ${name} is being deleted: it waits until that is over`);
  const place = placeOf(resource);
  const writer = { manager, now: timestamp(ambient.clock.now()) };
  const tracking = (forced: boolean) => trackApply(place, current && asValue(current), says, writer, forced);
  let tracked = tracking(false);
  if ('conflicts' in tracked && force(tracked.conflicts)) tracked = tracking(true);
  if ('conflicts' in tracked) throw applyConflict(tracked.conflicts);
  const wanted = reread(tracked.object ?? current ?? says, limits.jsonDepth, mostBytes(resource, limits));
  const taken: Taken = { level: 'Strict', limits };
  const { object: admitted } = current
    ? admitChange(resource, current, wanted, taken)
    : admitNew(resource, wanted, project, taken, ambient);
  const after = withOwners(current, admitted, tracked.entries);
  if (current && isDeepStrictEqual(after, current)) return undefined;
  await mayWrite({ store, access, limits }, user, {
    ...{ definition, group: resource.group, before: current, after, named: name },
  });
  const stays = current === undefined ? await projectStays(resource, project, coming) : [];
  const beside = current === undefined ? (resource.beside?.(after, ambient) ?? []) : [];
  return {
    ...{ key, before: current, after },
    preconditions: [{ key, revision: entry?.revision ?? 0 }, ...stays],
    ops: [{ type: 'put', key, value: storedText(after, { limits }) }, ...beside],
  };
}

export interface StagedRemoval {
  preconditions: Precondition[];
  ops: Op[];
}

/**
 * What deleting the object would store, as far as it is still there and not being deleted; undefined when there is nothing to do.
 * `keep`: why this object stays, if it does. Throws PlumbError `Forbidden` (terminal).
 */
export async function stageDelete(
  { store, ambient, access }: StageOptions,
  definition: KindDefinition,
  { name, namespace: project }: { name: string; namespace?: string | undefined },
  user: User,
): Promise<StagedRemoval | undefined> {
  const resource = resourceFor(definition, store);
  const key = keyOf(resource, project, name);
  const asked = { group: resource.group, resource: resource.plural, namespace: project ?? '', name };
  authorize(access, user, resourceAttributes({ verb: 'delete', ...asked }));
  const entry = await store.get(key);
  if (!entry || isBeingDeleted(entry)) return undefined;
  const current = understood(resource, entry, name);
  if (isProtected(current)) throw protectedError([current]);
  const now = ambient.clock.now();
  const deletionTimestamp = timestamp(now);
  const ops: Op[] = current.metadata.finalizers?.length
    ? [
        {
          ...{ type: 'put', key },
          value: encodeObject({ ...current, metadata: { ...current.metadata, deletionTimestamp } }),
        },
      ]
    : removalOps(key, current, now);
  return { preconditions: [{ key, revision: entry.revision }], ops };
}

function resourceFor(definition: KindDefinition, store: Store): WritableResource {
  return definition.kind === namespace.kind ? namespaceResource(store) : resourceOfKind(definition, store);
}

function understood(resource: WritableResource, entry: { key: string; value: string; revision: number }, name: string) {
  const { object, poison } = storedObject(resource, entry);
  if (poison)
    throw retryable(
      'ReferencePoisoned',
      `${resource.kind} ${name} cannot be understood as it is stored: mend or delete it first`,
    );
  return object;
}

/** Holds the project to what it is, unless it comes in the same commit. */
async function projectStays(
  resource: WritableResource,
  project: string | undefined,
  coming: ReadonlySet<string>,
): Promise<Precondition[]> {
  if (resource.scope === 'Cluster' || project === undefined || coming.has(project)) return [];
  const key = keys.object(namespace.plural, undefined, project);
  const entry = await resource.store.get(key);
  if (!entry) throw terminal('NamespaceNotFound', `there is no project ${project}: declare it, too`);
  if (isBeingDeleted(entry)) throw retryable('ReferenceDeleting', `the project ${project} is being deleted`);
  return [{ key, revision: entry.revision }];
}
