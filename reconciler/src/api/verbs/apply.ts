/** Server-side apply: a declaration of the fields that the client cares about, of an object that may not be there yet. */
import { PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { type Place, trackApply, type Writer } from '@plumb/schemas/apply/track.ts';
import { mistakesOf } from '@plumb/schemas/apply/typed.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { admitChange, admitStatus } from '../admission.ts';
import { applyConflict } from '../apply-conflict.ts';
import { reread } from '../body/json.ts';
import { APPLY } from '../body/patch.ts';
import type { ApiContext, Call } from '../call.ts';
import { alreadyExists, badRequest, conflict, invalid, notFound } from '../failure.ts';
import { type Modification, modify } from '../modify.ts';
import { mostBytes } from '../object-size.ts';
import { writeOptions } from '../options.ts';
import { asValue, placeOf, writerOf } from '../owners.ts';
import { isRecord, strictSentences } from '../read-object.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';
import { createAs } from './create.ts';

/** `PATCH /…/instances/web-0` with a declaration. Throws PlumbError `Conflict` when others own what it says otherwise. */
export async function apply(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  return applyTo(context, resource, call, admitChange);
}

/** `PATCH /…/instances/web-0/status` with a declaration: only its status counts, and the object must be there. */
export async function applyStatus(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  return applyTo(context, resource, call, admitStatus, 'status');
}

async function applyTo(
  context: ApiContext,
  resource: WritableResource,
  call: Call,
  admit: Modification['admit'],
  subresource?: 'status',
): Promise<Reply> {
  const { request } = call;
  const options = writeOptions(request.query, 'PatchOptions', true);
  const { value: sent, duplicates } = await request.parsed([APPLY]);
  const found = strictSentences(duplicates);
  const declared = checkedDeclaration(resource, call, sent);
  const place = placeOf(resource, subresource);
  const writer = writerOf(context, request, options);
  const { jsonDepth } = request.limits;
  const made = (object: unknown) => reread(object, jsonDepth, mostBytes(resource, request.limits));
  // RFC 9110 section 13.1.2: a declaration of what must not be there yet.
  const onlyNew = request.headers['if-none-match'] === '*';
  let entries: ManagedFieldsEntry[] | undefined;
  const merge = (current: PlumbObject | undefined) => {
    const tracked = track(place, writer, current, declared, options.force);
    entries = tracked.entries;
    return tracked.object;
  };
  return modify(context, resource, call, {
    options,
    found,
    wanted: (current) => {
      if (onlyNew) throw alreadyExists(resource.plural, resource.group, call.name);
      const { uid } = declared.metadata;
      if (uid !== undefined && uid !== current.metadata.uid) {
        const message = `Invalid value: ${shown(uid)}: field is immutable`;
        throw invalid(resource.kind, resource.group, call.name, [{ field: 'metadata.uid', message }]);
      }
      return made(merge(current) ?? current);
    },
    owned: () => entries,
    admit,
    ...(subresource ? { mends: false as const } : {}),
    absent: async () => {
      if (subresource) throw notFound(resource.plural, resource.group, call.name);
      const { uid } = declared.metadata;
      // The client has read it, and it is gone.
      if (uid !== undefined) {
        const why = `uid mismatch: the provided object specified uid ${shown(uid)}, and no existing object was found`;
        throw conflict(resource.plural, resource.group, call.name, why);
      }
      const object = made(merge(undefined) ?? declared);
      try {
        return await createAs(context, resource, call, { sent: object, options, found, owned: () => entries });
      } catch (error) {
        if (error instanceof PlumbError && error.reason === 'AlreadyExists' && !options.dryRun && !onlyNew)
          return undefined;
        throw error;
      }
    },
  });
}

export type Declared = Record<string, unknown> & { metadata: Record<string, unknown> };

/** What can be said of a declaration whatever is there. Throws PlumbError `BadRequest` or `Invalid`. */
export function checkedDeclaration(
  resource: WritableResource,
  call: Pick<Call, 'name' | 'namespace'>,
  sent: unknown,
): Declared {
  const { apiVersion, kind, metadata }: Record<string, unknown> = isRecord(sent) ? sent : {};
  if (apiVersion !== resource.apiVersion || kind !== resource.kind) {
    throw badRequest(`invalid object type: ${versionText(apiVersion)}, Kind=${textOf(kind)}`);
  }
  const { name, namespace, managedFields }: Record<string, unknown> = isRecord(metadata) ? metadata : {};
  if ((managedFields ?? null) !== null) throw badRequest('metadata.managedFields must be nil');
  if ((name ?? '') === '')
    throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`);
  if (name !== call.name)
    throw badRequest(`the name of the object (${textOf(name)}) does not match the name on the URL (${call.name})`);
  if ((namespace ?? '') !== '' && resource.scope === 'Namespaced' && namespace !== call.namespace)
    throw badRequest(
      `the namespace of the object (${textOf(namespace)}) does not match the namespace on the URL (${call.namespace})`,
    );
  const mistakes = mistakesOf(placeOf(resource).type, sent);
  if (mistakes.length > 0) {
    const where = `${textOf(namespace)}/${call.name}; ${resource.apiVersion}, Kind=${resource.kind}`;
    const what = mistakes.length === 1 ? mistakes[0] : ['errors:', ...mistakes.map((one) => `  ${one}`)].join('\n');
    throw terminal('Invalid', `failed to create typed patch object (${where}): ${what}`);
  }
  return sent as unknown as Declared;
}

function track(
  place: Place,
  writer: Writer,
  current: PlumbObject | undefined,
  declared: Declared,
  force: boolean,
): { object: unknown; entries: ManagedFieldsEntry[] | undefined } {
  const tracked = trackApply(place, current && asValue(current), declared, writer, force);
  if ('conflicts' in tracked) throw applyConflict(tracked.conflicts);
  return tracked;
}

function versionText(apiVersion: unknown): string {
  const text = textOf(apiVersion);
  return text.includes('/') ? text : `/${text}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 253) : '';
}
