/** What is still declared, asked of the API itself. */

import { collectionPath, resourceByKind } from '../../cli/src/resources.ts';
import { clientFor, findAccess } from '../../client/src/access.ts';
import { API_GROUP_VERSION, kinds, type PlumbObject, realAmbient } from '../../schemas/src/index.ts';

export interface Declared {
  kind: string;
  /** Absent of what belongs to no project. */
  namespace?: string;
  name: string;
}

/** Every object of every kind of Plumb, sorted by {@link declaredName}. */
export async function declared(kubeconfig: string): Promise<Declared[]> {
  const client = clientFor(await findAccess(kubeconfig, {}), realAmbient());
  try {
    const lists = await Promise.all(
      kinds.map(({ kind }) => client.send('GET', collectionPath(resourceByKind(API_GROUP_VERSION, kind)!, undefined))),
    );
    const objects = lists.flatMap(({ items }) => items as PlumbObject[]);
    return objects
      .map(({ kind, metadata: { namespace, name } }) => ({ kind, ...(namespace ? { namespace } : {}), name }))
      .sort((a, b) => (declaredName(a) < declaredName(b) ? -1 : 1));
  } finally {
    client.close();
  }
}

/** As people read it: `Kind name` or `Kind namespace/name`. */
export function declaredName({ kind, namespace, name }: Declared): string {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}`;
}
