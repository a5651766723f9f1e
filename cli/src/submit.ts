/** Sending one declared object: made where it is missing, changed where it differs, left alone where it is the same. */
import type { Client } from '@plumb/client/client.ts';
import { ApiError } from '@plumb/client/errors.ts';
import type { PlumbObject } from '@plumb/schemas';
import { APPLIED } from '@plumb/schemas/project/field-changes.ts';
import { desired, patchFor } from './changes.ts';
import type { Manifest } from './manifests.ts';
import { collectionPath, objectPath } from './resources.ts';

/** Nothing is written: the server judges it, or what is stored is looked at. */
export type DryRun = 'client' | 'server';

export type Outcome = 'created' | 'configured' | 'unchanged';

/** Others may make or remove the object between a look and a write. */
const ATTEMPTS = 5;

/** Throws {@link ApiError} when the server refuses it. */
export async function submit(client: Client, manifest: Manifest, dryRun?: DryRun): Promise<Outcome> {
  const query = dryRun ? '?dryRun=All' : '';
  const { resource, namespace, name } = manifest;
  const path = objectPath(resource, namespace, name);
  for (let attempt = 1; ; attempt++) {
    try {
      const stored = (await client.find(path)) as PlumbObject | undefined;
      if (!stored) {
        if (dryRun === 'client') return 'created';
        await client.send('POST', collectionPath(resource, namespace) + query, { body: newObject(manifest) });
        return 'created';
      }
      const patch = patchFor(manifest, stored);
      if (!patch) return 'unchanged';
      if (dryRun === 'client') return 'configured';
      await client.send('PATCH', path + query, { body: patch, type: 'application/merge-patch+json' });
      return 'configured';
    } catch (error) {
      const raced = error instanceof ApiError && ['AlreadyExists', 'Conflict'].includes(error.reason);
      const gone = error instanceof ApiError && error.reason === 'NotFound' && error.message.includes(`"${name}"`);
      if (!(raced || gone) || attempt === ATTEMPTS) throw error;
    }
  }
}

function newObject(manifest: Manifest): object {
  const { object } = manifest;
  const applied = desired(manifest, undefined).metadata.annotations?.[APPLIED];
  if (applied === undefined) return object;
  const annotations = { ...object.metadata.annotations, [APPLIED]: applied };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
