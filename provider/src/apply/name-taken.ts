/** A create whose name is taken: by what goes, by what somebody is making, or by what this configuration had begun before it was killed. */

import type { Client } from '@plumb/client/client.ts';
import type { Deadline } from '@plumb/client/deadline.ts';
import { createObject, type Draft, type Reference, readObject, title } from '@plumb/client/objects.ts';
import { remark } from '@plumb/client/pending.ts';
import { untilAway, untilDecided } from '@plumb/client/ready.ts';
import { PlumbError, type PlumbObject } from '@plumb/schemas';
import { trackApply } from '@plumb/schemas/apply/track.ts';
import { PENDING, type Pending, pendingOf } from '@plumb/schemas/meta/pending.ts';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Stack } from '../stack.ts';
import { placeOf } from '../value/object.ts';

export interface Making {
  client: Client;
  kind: TerraformKind;
  ref: Reference;
  draft: Draft;
  stack: Stack;
  /** Whether this session has made the object of that uid. */
  isOurs: (uid: string) => boolean;
  limit: Deadline;
}

/**
 * Creates the object; where one of that name is being deleted or made, when that is over. Takes what the same user has begun to make in the
 * same stack, if it is as declared here and its maker is gone. Throws `AlreadyExists` where somebody has the name.
 */
export async function createWhenFree(making: Making): Promise<PlumbObject> {
  const { client, ref, draft, stack, limit } = making;
  const declarer = { manager: stack.manager, ...(stack.isNamed ? { stack: stack.name } : {}) };
  for (;;) {
    try {
      return await createObject(client, ref, draft, declarer, limit);
    } catch (thrown) {
      const error = PlumbError.from(thrown, title(ref));
      if (error.reason !== 'AlreadyExists') throw error;
      limit.signal.throwIfAborted();
      const there = await readObject(client, ref, limit);
      const adopted = there && (await resolved(making, there, error));
      if (adopted) return adopted;
    }
  }
}

/** What there is, adopted; undefined: it is to be tried again. Throws `error` when somebody has the name. */
async function resolved(making: Making, there: PlumbObject, error: PlumbError): Promise<PlumbObject | undefined> {
  const { client, ref, stack, isOurs, limit } = making;
  const { uid, deletionTimestamp } = there.metadata;
  if (deletionTimestamp !== undefined) {
    await untilAway(client, ref, uid, limit);
    return undefined;
  }
  const mark = pendingOf(there);
  const isOfStack = stack.isNamed && mark?.stack === stack.name;
  // What was handed over to somebody else, or to this very run, has its place in a state.
  if (!mark || (mark.phase !== 'making' && (!isOfStack || isOurs(uid)))) throw error;
  if (mark.phase !== 'left') {
    const isDecided = (object: PlumbObject) => {
      const now = pendingOf(object)?.phase;
      return now === undefined || now === 'left' || (now === 'told' && (!isOfStack || isOurs(uid)));
    };
    await untilDecided(client, ref, uid, isDecided, limit);
    return undefined;
  }
  if (!isAsDeclared(making, there)) throw error;
  return (await adopt(making, there)) ?? (await changedSince(making, there, error));
}

function adopt({ client, ref, stack, limit }: Making, there: PlumbObject): Promise<PlumbObject | undefined> {
  const { uid, resourceVersion } = there.metadata;
  const mark: Pending = { request: client.ambient.ids.uid(), phase: 'making', stack: stack.name };
  return remark(client, ref, { uid, resourceVersion }, mark, stack.manager, limit);
}

/** It was refused: that of another user stays theirs; what changed at the same time is looked at again. */
async function changedSince(
  { client, ref, limit }: Making,
  before: PlumbObject,
  error: PlumbError,
): Promise<undefined> {
  const now = await readObject(client, ref, limit);
  if (now?.metadata.resourceVersion === before.metadata.resourceVersion) throw error;
  return undefined;
}

/** Whether applying the draft would change nothing. */
function isAsDeclared({ kind, draft, stack }: Making, there: PlumbObject): boolean {
  const place = placeOf(kind);
  const annotations = { ...draft.metadata.annotations, [PENDING]: there.metadata.annotations![PENDING]! };
  const declared = {
    apiVersion: place.apiVersion,
    kind: place.kind,
    ...draft,
    metadata: { ...draft.metadata, annotations },
  };
  const writer = { manager: stack.manager, now: there.metadata.creationTimestamp };
  const tracked = trackApply(place, there as unknown as Record<string, unknown>, declared, writer, true);
  if ('conflicts' in tracked) return false;
  const { spec, metadata } = (tracked.object ?? there) as unknown as PlumbObject;
  const shown = (object: Pick<PlumbObject, 'metadata'> & { spec?: unknown }) =>
    JSON.stringify([object.spec ?? null, object.metadata.labels ?? {}, object.metadata.annotations ?? {}]);
  return tracked.object === undefined || shown({ spec, metadata }) === shown(there);
}
