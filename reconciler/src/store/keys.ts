/**
 * Where everything lies in the store. One place, so that no two layers invent keys.
 *
 *   /objects/<plural>/<namespace or empty>/<name>   the object as JSON, without resourceVersion (that is the revision)
 *   /alloc/<pool>/<key>                             uid of the holder; one for each key of a pool
 *   /alloc/address/<l3 uid>/<address>               … of addresses
 *   /alloc/mac/<mac>                                … of MACs
 *   /alloc/host/<host name>                         what is handed out on the host, each amount by its name
 *   /flows/<object uid>                             the object's running flow
 *   /changesets/<change set uid>                    how a running change set gets back
 *   /git-commits/<git source uid>/<part>             how a commit that is being applied gets back: `head`, and parts by number
 *   /terraform-states/<namespace>/<name>            head of a state of Terraform: its versions and its lock; stays when it is deleted
 *   blobs/terraform-states/<namespace>/<name>/<version>/<part>   what is in a version; begins with no slash, so that nobody who
 *                                                   loads or follows everything reads it
 *   /deleted/<object uid>                           deletion record: what lives under this uid may be removed; it
 *                                                   goes when no host can come back with something of it
 *   /credentials/<host name>                        hash of the host's credential, or that the host was deleted
 *   /join-tokens/<id>                               hash of a join token, what it admits, and who joined by it
 *   /control/<what>                                 the control plane's own: term, schema version, hash-key
 */
export const keys = {
  objects: '/objects/',
  kind: (plural: string) => `/objects/${plural}/`,
  namespace: (plural: string, namespace: string) => `/objects/${plural}/${namespace}/`,
  object: (plural: string, namespace: string | undefined, name: string) =>
    `/objects/${plural}/${namespace ?? ''}/${name}`,
  claim: (pool: string, key: string) => `/alloc/${pool}/${key}`,
  address: (l3Uid: string, address: string) => `/alloc/address/${l3Uid}/${address}`,
  mac: (mac: string) => `/alloc/mac/${mac}`,
  hostAllocation: (host: string) => `/alloc/host/${host}`,
  flow: (uid: string) => `/flows/${uid}`,
  changeSet: (uid: string) => `/changesets/${uid}`,
  gitCommit: (uid: string, part: string) => `/git-commits/${uid}/${part}`,
  gitCommits: '/git-commits/',
  stateHead: (namespace: string, name: string) => `/terraform-states/${namespace}/${name}`,
  stateHeads: '/terraform-states/',
  statePart: (namespace: string, name: string, version: string, part: number) =>
    `blobs/terraform-states/${namespace}/${name}/${version}/${part}`,
  stateParts: 'blobs/terraform-states/',
  deleted: (uid: string) => `/deleted/${uid}`,
  credential: (host: string) => `/credentials/${host}`,
  joinTokens: '/join-tokens/',
  joinToken: (id: string) => `/join-tokens/${id}`,
  control: (what: string) => `/control/${what}`,
} as const;

/** The parts of an object's key, or undefined if the key is not an object's. */
export function parseObjectKey(key: string): { plural: string; namespace: string; name: string } | undefined {
  const [, root, plural, namespace, name] = key.split('/');
  if (root !== 'objects' || !plural || namespace === undefined || !name) return undefined;
  return { plural, namespace, name };
}

/** `default/web-0`, or `host-1` where there is no namespace: what a person calls the object of the key. */
export function nameOfKey(key: string): string {
  const { namespace, name } = parseObjectKey(key) ?? { namespace: '', name: key };
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** The plural of the kind whose object the key is; of a key that is no object's, anything. */
export function pluralOf(key: string): string {
  const from = keys.objects.length;
  return key.slice(from, key.indexOf('/', from));
}

const CLAIMS = '/alloc/';

/** What `find` gives for the name of the pool of which the key of a claim is. */
export function poolOf<T>(key: string, find: (name: string) => T): T {
  return find(key.slice(CLAIMS.length, key.indexOf('/', CLAIMS.length)));
}
