import { type Reference, readObject, title } from '@plumb/client/objects.ts';
import { terminal } from '@plumb/schemas';
import { DEFAULT_PROJECT, type TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { kindOfType } from '../resources.ts';
import { importedState } from '../value/object.ts';
import { dynamic } from '../wire/convert.ts';
import type { ImportReply, ImportRequest } from '../wire/messages.ts';
import { READ_MS } from './read.ts';
import { guarded } from './rpc.ts';

/** Takes over an object: by `name`, or `project/name` where the kind has projects. */
export const importResourceState = guarded<ImportRequest, ImportReply>(
  'The object cannot be imported',
  async ({ typeName, id }, session) => {
    const kind = kindOfType(typeName);
    const ref = referenceIn(id, kind);
    const limit = session.client.deadline(READ_MS);
    try {
      const live = await readObject(session.client, ref, limit);
      if (!live) throw terminal('NotFound', `There is no ${title(ref)} to import.`);
      if (live.metadata.deletionTimestamp !== undefined) {
        throw terminal(
          'Deleting',
          `${title(ref)} is being deleted, which nothing can undo. Once it is gone, it can be created anew.`,
        );
      }
      return { importedResources: [{ typeName, state: dynamic(importedState(kind, live), kind.resource) }] };
    } finally {
      limit.end();
    }
  },
);

function referenceIn(id: string, { kind }: TerraformKind): Reference {
  const parts = id.split('/');
  const most = kind.scope === 'Cluster' ? 1 : 2;
  if (parts.length > most || parts.some((part) => part === '')) {
    const form = most === 1 ? 'its name' : 'its name, or project/name';
    throw terminal('BadImportId', `The id of a ${kind.kind} is ${form}, but is ${JSON.stringify(id)}.`);
  }
  const name = parts.at(-1)!;
  return most === 1 ? { kind, name } : { kind, name, namespace: parts.length > 1 ? parts[0]! : DEFAULT_PROJECT };
}
