/**
 * Writes for somebody else: what a server-side apply would store, judged as the request of its user would be, so that many objects can
 * become one commit; and deletions.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Ambient,
  type KindDefinition,
  namespace,
  PlumbError,
  type PlumbObject,
  retryable,
  terminal,
} from '@plumb/schemas';
import type { Conflict } from '@plumb/schemas/apply/ownership.ts';
import { trackApply } from '@plumb/schemas/apply/track.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { isProtected, protectedError } from '@plumb/schemas/meta/protection.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { User } from '../pki/tokens.ts';
import { keys } from '../store/keys.ts';
import { encodeObject, isBeingDeleted, removalOps } from '../store/object-codec.ts';
import type { Op, Precondition, Store } from '../store/store.ts';
import { admitChange, admitNew, storedText, type Taken } from './admission.ts';
import { applyConflict } from './apply-conflict.ts';
import { type Access, authorize, resourceAttributes } from './authorize.ts';
import { reread } from './body/json.ts';
import { namespaceResource } from './core/namespace.ts';
import { markAndEnd } from './core/namespace-delete.ts';
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

/**
 * Deletes the object as a request of the user would, as far as it is still there and not being deleted; a project only when nothing is
 * in it. False: it stays, since others are in it, or have changed it meanwhile. Throws PlumbError `Forbidden` (terminal).
 */
export async function deleteAs(
  { store, ambient, access }: StageOptions,
  definition: KindDefinition,
  { name, namespace: project }: { name: string; namespace?: string | undefined },
  user: User,
): Promise<boolean> {
  const resource = resourceFor(definition, store);
  const key = keyOf(resource, project, name);
  const asked = { group: resource.group, resource: resource.plural, namespace: project ?? '', name };
  authorize(access, user, resourceAttributes({ verb: 'delete', ...asked }));
  const entry = await store.get(key);
  if (!entry || isBeingDeleted(entry)) return true;
  const current = understood(resource, entry, name);
  if (isProtected(current)) throw protectedError([current]);
  try {
    if (definition.kind === namespace.kind) {
      await markAndEnd({ ambient }, resource, { ...entry, object: current });
      return true;
    }
    await store.commit({ preconditions: [{ key, revision: entry.revision }], ops: removal(key, current, ambient) });
    return true;
  } catch (error) {
    if (error instanceof PlumbError && error.reason === 'Conflict') return false;
    throw error;
  }
}

function removal(key: string, current: PlumbObject, { clock }: Ambient): Op[] {
  const { metadata } = current;
  if (!metadata.finalizers?.length) return removalOps(key, current, clock.now());
  const marked = { ...current, metadata: { ...metadata, deletionTimestamp: timestamp(clock.now()) } };
  return [{ type: 'put', key, value: encodeObject(marked) }];
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
