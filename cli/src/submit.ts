/** Sending one declared object by server-side apply: we own what the manifest names, and other owners keep the rest. */
import type { Client } from '@plumb/client/client.ts';
import { ApiError } from '@plumb/client/errors.ts';
import type { PlumbObject } from '@plumb/schemas';
import { APPLIED } from '@plumb/schemas/project/field-changes.ts';
import { writtenFields } from '@plumb/schemas/project/validate-schema.ts';
import { patchFor } from './changes.ts';
import type { Manifest } from './manifests.ts';
import { objectPath } from './resources.ts';

/** Under which name `plumb` declares. */
export const MANAGER = 'plumb';

/** Nothing is written: the server judges it, or what is stored is looked at. */
export type DryRun = 'client' | 'server';

export type Outcome = 'created' | 'configured' | 'unchanged';

export interface Sending {
  dryRun?: DryRun | undefined;
  /** Whether fields that others own are taken. */
  force?: boolean;
}

/** Others may make or remove the object between a look and a write. */
const ATTEMPTS = 5;

/** Throws {@link ApiError} when the server refuses it; `Conflict` with kubectl's words when others own what it says otherwise. */
export async function submit(client: Client, manifest: Manifest, { dryRun, force }: Sending = {}): Promise<Outcome> {
  const { resource, namespace, name } = manifest;
  const path = objectPath(resource, namespace, name);
  for (let attempt = 1; ; attempt++) {
    try {
      const stored = (await client.find(path)) as PlumbObject | undefined;
      if (dryRun === 'client') return !stored ? 'created' : patchFor(manifest, stored) ? 'configured' : 'unchanged';
      const after = await applyTo(client, manifest, { force: force === true, dryRun: dryRun !== undefined });
      if (!stored) return 'created';
      const same = stored.metadata.resourceVersion === after.metadata.resourceVersion;
      // Of a dry run the version stays, whatever it would do.
      return same && (!dryRun || stored.metadata.generation === after.metadata.generation) ? 'unchanged' : 'configured';
    } catch (error) {
      if (!isRace(error, name) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** What the server makes of the declaration. */
export async function applyTo(
  client: Client,
  manifest: Manifest,
  { force, dryRun }: { force: boolean; dryRun: boolean },
): Promise<PlumbObject> {
  const query = new URLSearchParams({
    fieldManager: MANAGER,
    ...(force ? { force: 'true' } : {}),
    ...(dryRun ? { dryRun: 'All' } : {}),
  });
  const path = `${objectPath(manifest.resource, manifest.namespace, manifest.name)}?${query}`;
  const type = 'application/apply-patch+yaml';
  return (await client.send('PATCH', path, { body: declarationOf(manifest), type })) as PlumbObject;
}

/** The manifest without what the server keeps: it may have been read from the server. */
function declarationOf({ resource, namespace, name, object }: Manifest): object {
  const { labels, annotations, finalizers, ownerReferences } = object.metadata;
  const { [APPLIED]: _, ...notes } = annotations ?? {};
  const others = finalizers?.filter((finalizer) => !finalizer.startsWith('plumb.dev/')) ?? [];
  const fields = object as unknown as Record<string, unknown>;
  const written = resource.definition ? writtenFields(resource.definition) : ['spec'];
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations: notes } : {}),
      ...(others.length > 0 ? { finalizers: others } : {}),
      ...(ownerReferences ? { ownerReferences } : {}),
    },
    ...Object.fromEntries(
      written.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]]),
    ),
  };
}

/** Whether somebody made or removed the object meanwhile; that others own fields of it is none. */
function isRace(error: unknown, name: string): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.reason === 'Conflict') return !isContested(error);
  return error.reason === 'AlreadyExists' || (error.reason === 'NotFound' && error.message.includes(`"${name}"`));
}

/** Whether the server refused an apply since others own what it says otherwise. */
export function isContested({ reason, message }: Pick<ApiError, 'reason' | 'message'>): boolean {
  return reason === 'Conflict' && message.startsWith('Apply failed with ');
}
