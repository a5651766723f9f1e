import { pages } from '@plumb/client/pages.ts';
import { errorDiagnostics } from '../diagnostic.ts';
import { kindOfType } from '../resources.ts';
import { importedState } from '../value/object.ts';
import { selectedBy } from '../value/selection.ts';
import { dynamic, identified, objectIn, wireDiagnostics } from '../wire/convert.ts';
import type { ListEvent, ListRequest } from '../wire/messages.ts';
import { READ_MS } from './read.ts';
import type { StreamRpc } from './rpc.ts';

/** The objects of a kind, one event each; what is being deleted cannot be taken over, and is not among them. */
export const listResource: StreamRpc<ListRequest, ListEvent> = async function* (request, session) {
  const { typeName, config, includeResourceObject, limit: most } = request;
  try {
    const kind = kindOfType(typeName);
    const wanted = selectedBy(kind, objectIn(config, kind.selection) ?? {});
    const limit = session.client.deadline(READ_MS);
    let told = 0;
    try {
      for await (const object of pages(session.client, wanted, limit)) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        const state = importedState(kind, object);
        const { name, namespace } = object.metadata;
        yield {
          ...identified('identity', kind, state),
          displayName: namespace === undefined ? name : `${namespace}/${name}`,
          ...(includeResourceObject ? { resourceObject: dynamic(state, kind.resource) } : {}),
        };
        if (++told === most) return;
      }
    } finally {
      limit.end();
    }
  } catch (error) {
    yield { diagnostic: wireDiagnostics(errorDiagnostics(error, 'The objects cannot be listed')) };
  }
};
