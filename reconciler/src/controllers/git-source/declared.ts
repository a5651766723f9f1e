/** What a commit declares, in the order in which it is written: projects, identities, kinds that others use, the rest. */
import {
  type GitSource,
  groupOf,
  type KindDefinition,
  kindOf,
  objectName,
  type PlumbObject,
  namespace as project,
  terminal,
} from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { RenderedObject } from '../../git/look.ts';
import { keys } from '../../store/keys.ts';

export interface Declared {
  kind: KindDefinition;
  key: string;
  /** As the inventory names it: Kind/project/name. */
  id: string;
  wave: number;
  object: RenderedObject;
}

const SHOWN = 10;

/** Throws terminal `UnknownKind`, `CommitRefused`: then nothing of the commit is written. */
export function declaredBy(source: GitSource, rendered: readonly RenderedObject[]): Declared[] {
  const unknown = rendered.filter((one) => !kindOf(one));
  if (unknown.length > 0) {
    const named = unknown
      .slice(0, SHOWN)
      .map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);
    const more = unknown.length > SHOWN ? ` and ${unknown.length - SHOWN} more` : '';
    throw terminal(
      'UnknownKind',
      `nothing of the commit is applied: this server has no such kind: ${printable(named.join(', '), 500)}${more}`,
    );
  }
  const declared = rendered.map((object) => placed(source, object));
  const seen = new Set<string>();
  for (const { id, key } of declared) {
    if (seen.has(key)) throw terminal('CommitRefused', `nothing of the commit is applied: it declares ${id} twice`);
    seen.add(key);
  }
  return declared.sort((a, b) => a.wave - b.wave);
}

function placed(source: GitSource, { ...object }: RenderedObject): Declared {
  const kind = kindOf(object)!;
  const { namespace: own, name: ownName } = source.metadata;
  const { namespace: named, ...metadata } = object.metadata;
  const namespace = kind.scope === 'Namespaced' ? named || own : undefined;
  object.metadata = { ...metadata, ...(namespace === undefined ? {} : { namespace }) };
  const { name } = metadata;
  if (kind.kind === source.kind && name === ownName && namespace === own)
    throw terminal(
      'CommitRefused',
      'nothing of the commit is applied: it declares the GitSource by which it is applied',
    );
  return {
    ...{ kind, object, wave: waveOf(kind) },
    key: keys.object(kind.plural, namespace, name),
    id: idOf(kind.kind, namespace, name),
  };
}

export function idOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${objectName({ name, ...(namespace === undefined ? {} : { namespace }) })}`;
}

/** What waits for nothing of the waves behind it. Deletion goes the other way. */
export function waveOf(kind: KindDefinition): number {
  if (kind.kind === project.kind) return 0;
  const group = groupOf(kind);
  if (group === 'rbac.authorization.k8s.io' || kind.kind === 'ServiceAccount') return 1;
  return kind.scope === 'Cluster' || kind.kind === 'Secret' || kind.kind === 'ConfigMap' ? 2 : 3;
}

/** Bytes of the name of a manager. */
const MOST_MANAGER = 128;

/** Who it is in managedFields. */
export function managerOf({ metadata }: Pick<PlumbObject, 'metadata'>): string {
  const name = `gitsource/${objectName(metadata)}`;
  return name.length <= MOST_MANAGER ? name : `gitsource/${metadata.uid}`;
}

/** Where its commits come from: when that changes, what is not declared any more waits for a person. */
export function sourceOf({ spec: { url, ref, path } }: Pick<GitSource, 'spec'>) {
  return { url, ref, ...(path === undefined ? {} : { path }) };
}
