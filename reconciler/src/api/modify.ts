/** Changing a stored object: read, change, admit, write unless nothing changed; again when someone else was faster. */
import { isDeepStrictEqual } from 'node:util';
import type { PlumbObject } from '@plumb/schemas';
import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { moreSentence } from '@plumb/schemas/project/validate-mistakes.ts';
import { ConflictError } from '../store/errors.ts';
import { isHeld, removalOps } from '../store/object-codec.ts';
import { type Admitted, storedText, type Taken } from './admission.ts';
import type { Json } from './body/json.ts';
import { saysItself } from './body/type-meta.ts';
import type { ApiContext, Call } from './call.ts';
import { badRequest, conflict, invalid, notFound } from './failure.ts';
import { markedChange } from './marks.ts';
import { basisOf, unmendable } from './mend.ts';
import type { WriteOptions } from './options.ts';
import { sentManaged, withOwners } from './owners.ts';
import { presentationOf, type Shown } from './presentation.ts';
import { readable } from './readable.ts';
import { JSON_TYPE, type Reply } from './reply.ts';
import { keyOf, type WritableResource } from './resource.ts';
import { mayWrite } from './rights/writes.ts';

/** Controllers write status at the same time; a client that gave no resourceVersion need not know. */
export const ATTEMPTS = 20;

export interface Modification {
  options: WriteOptions;
  /** What the client wants the object to be, given what it is. May not change `current`. */
  wanted(current: PlumbObject): Json | undefined;
  /** What is wrong with the fields of what the client sent: see strictSentences. */
  found: readonly string[];
  /** Who owns what of the object once it is as it was admitted. */
  owned(current: PlumbObject, object: PlumbObject, sent: unknown): ManagedFieldsEntry[] | undefined;
  /** Which part of it counts. */
  admit(resource: WritableResource, current: PlumbObject, wanted: Json | undefined, taken: Taken): Admitted;
  /** False: it cannot make an object that can be understood of one that cannot. */
  mends?: false;
  /** What is done when there is no such object; undefined: another made it meanwhile. Without it the object must be there. */
  absent?(): Promise<Reply | undefined>;
}

/** Throws PlumbError `Conflict` when the client asked for another uid or resourceVersion than the stored ones. */
export async function modify(
  context: ApiContext,
  resource: WritableResource,
  call: Call,
  modification: Modification,
): Promise<Reply> {
  const present = presentationOf(call.request, resource, context.ambient.clock);
  const { dryRun, level, hints } = modification.options;
  const isPatch = call.request.method === 'PATCH';
  if (dryRun) call.request.wrote = false;
  const key = keyOf(resource, call.namespace, call.name);
  for (let attempt = 1; ; attempt++) {
    const entry = await resource.store.get(key);
    if (!entry) {
      const reply = await modification.absent?.();
      if (reply) return reply;
      if (!modification.absent || attempt === ATTEMPTS) throw notFound(resource.plural, resource.group, call.name);
      continue;
    }
    const { current, wanted, isPoisoned, released } = basisOf(context, resource, entry, modification.wanted);
    if (isPoisoned && modification.mends === false) throw unmendable(resource, call.name);
    const sent = sentManaged(wanted);
    const { object: asked, warnings } = released
      ? { object: current, warnings: [] }
      : modification.admit(resource, current, wanted, {
          ...{ level, hints, isPatch, limits: context.limits, found: modification.found },
          expect: (metadata) => expectSame(resource, current, metadata, isPatch),
        });
    const admitted = markedChange(resource, current, asked, call.request.user!.name);
    const object = released ? admitted : withOwners(current, admitted, modification.owned(current, admitted, sent));
    const reply = (shown: Shown): Reply => ({
      status: 200,
      type: JSON_TYPE,
      body: present.one(readable(context.wrongs, resource, { key, ...shown }, entry.revision)),
      ...(warnings.length > 0 ? { headers: { warning: warningHeader(warnings) } } : {}),
    });
    if (!isPoisoned && isDeepStrictEqual(object, current)) return reply(entry);
    await mayWrite({ ...context, store: resource.store }, call.request.user!, {
      // What could not be understood had no rights to begin with: who mends it needs them all.
      before: isPoisoned ? undefined : current,
      ...{ definition: resource.definition, group: resource.group, after: object, named: call.name },
    });
    const value = released ?? storedText(object, context);
    if (dryRun) return reply({ value, revision: entry.revision });
    const finished = !released && object.metadata.deletionTimestamp !== undefined && !isHeld(object);
    try {
      const { revision } = await resource.store.commit({
        preconditions: [{ key, revision: entry.revision }],
        ops: finished ? removalOps(key, object, context.ambient.clock.now()) : [{ type: 'put', key, value }],
      });
      // What is gone is told as it was last.
      return reply({ value, revision: finished ? entry.revision : revision });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      if (attempt === ATTEMPTS) {
        throw conflict(
          resource.plural,
          resource.group,
          call.name,
          `others changed it ${ATTEMPTS} times meanwhile; try again`,
        );
      }
    }
  }
}

/**
 * Holds the version that a client has read to the stored one. Throws PlumbError `Conflict` when it is another one, `Invalid` when
 * a client of Plumb's kinds names none, and `BadRequest` for what is no version.
 */
export function expectSame(
  resource: WritableResource,
  current: PlumbObject,
  wanted: Readonly<Record<string, unknown>>,
  isPatch: boolean,
): void {
  const { plural, group } = resource;
  const { name, uid, resourceVersion } = current.metadata;
  const refuse = (why: string) => conflict(plural, group, name, why);
  // A patch is of what is there: another uid in it is a field that cannot be changed.
  if (!isPatch && isNamed(wanted.uid) && wanted.uid !== uid)
    throw refuse(
      `Precondition failed: UID in precondition: ${shown(wanted.uid).slice(1, -1)}, UID in object meta: ${uid}`,
    );
  const version = wanted.resourceVersion;
  // 0 is what a client sends that has read none.
  if (!isNamed(version) || version === '0') {
    if (!saysItself(resource)) return;
    const message = 'Invalid value: 0: must be specified for an update';
    throw invalid(plural, group, name, [{ field: 'metadata.resourceVersion', message }]);
  }
  if (!/^\d{1,20}$/.test(version)) throw badRequest(`invalid resource version: ${shown(version)}`);
  if (version !== resourceVersion)
    throw refuse('the object has been modified; please apply your changes to the latest version and try again');
}

function isNamed(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Characters of one warning and of all, as many as a Kubernetes API server sends: clients take 16 KiB of headers. */
const MOST_OF_ONE = 256;
const MOST_OF_ALL = 4_096;

/** A Warning header (RFC 7234 section 5.5, code 299), one value per sentence; those that have no room are counted. */
export function warningHeader(warnings: readonly string[]): string {
  const values: string[] = [];
  let length = 0;
  for (const text of warnings) {
    const cut = text.length > MOST_OF_ONE ? `${text.slice(0, MOST_OF_ONE)}...` : text;
    const value = warningValue(cut);
    length += value.length + 2;
    if (length > MOST_OF_ALL) {
      values.push(warningValue(moreSentence(warnings.length - values.length)));
      break;
    }
    values.push(value);
  }
  return values.join(', ');
}

function warningValue(text: string): string {
  return `299 - "${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`;
}
