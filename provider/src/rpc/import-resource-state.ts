import { type Reference, readObject, title } from '@plumb/client/objects.ts';
import { terminal } from '@plumb/schemas';
import { DEFAULT_PROJECT, type TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { kindOfType } from '../resources.ts';
import { importedState, referenceOf } from '../value/object.ts';
import type { ObjectValue } from '../value/value.ts';
import { dynamic, objectIn } from '../wire/convert.ts';
import type { IdentityData, ImportReply, ImportRequest } from '../wire/messages.ts';
import { READ_MS } from './read.ts';
import { guarded } from './rpc.ts';

/** Takes over an object: by its identity, or by `name`, or `project/name` where the kind has projects. */
export const importResourceState = guarded<ImportRequest, ImportReply>(
  'The object cannot be imported',
  async ({ typeName, id, identity }, session) => {
    const kind = kindOfType(typeName);
    const ref = identity ? referenceOf(kind, identityIn(identity, kind)) : referenceIn(id, kind);
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
      const state = importedState(kind, live);
      const bears = { identityData: dynamic(state, kind.identity) };
      return { importedResources: [{ typeName, state: dynamic(state, kind.resource), identity: bears }] };
    } finally {
      limit.end();
    }
  },
);

/** Throws a terminal `BadIdentity`. */
function identityIn({ identityData }: IdentityData, kind: TerraformKind): ObjectValue {
  const { name, project } = objectIn(identityData, kind.identity) ?? {};
  if (typeof name !== 'string' || name === '') {
    throw terminal('BadIdentity', `The identity of a ${kind.kind.kind} has its name.`);
  }
  return { name, project: project || DEFAULT_PROJECT };
}

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
