/** Where the API has what (Kubernetes API conventions). */

/** A kind, as far as paths name it. */
export interface PathKind {
  /** `v1` for core kinds, else `GROUP/VERSION`. */
  apiVersion: string;
  plural: string;
}

/** The path of a collection. `namespace`: undefined for kinds that have none, and for all namespaces. */
export function collectionPath({ apiVersion, plural }: PathKind, namespace: string | undefined): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${plural}`;
}

export function objectPath(kind: PathKind, namespace: string | undefined, name: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}
