/**
 * `--prune -l SELECTOR`: what was applied before, matches the selector and is declared no more. Objects that no apply has made are
 * left alone, and so are projects.
 */
import { kinds } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { APPLIED } from '@plumb/schemas/project/field-changes.ts';
import type { Session } from './command.ts';
import { removeAll } from './commands/delete.ts';
import type { Target } from './follow.ts';
import { describeManifest, type Manifest } from './manifests.ts';
import { collectionPath, resourceByAlias } from './resources.ts';
import { selectorQuery } from './selector.ts';
import type { DryRun } from './submit.ts';
import type { Surroundings } from './surroundings.ts';

/** An object that goes, and the uid by which it is known again. */
export interface Pruned extends Target {
  /** Absent where none was there when it was planned. */
  uid?: string;
}

const BY_KUBECTL = 'kubectl.kubernetes.io/last-applied-configuration';

interface Found {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    managedFields?: { operation?: string; subresource?: string }[];
  };
}

/** Throws PlumbError `BadArgument` (terminal) without a selector: everything that is not in the files would go. */
export async function toPrune(
  session: Session,
  manifests: readonly Manifest[],
  selector: string | undefined,
): Promise<Pruned[]> {
  if (selector === undefined || selector.trim() === '')
    throw terminal('BadArgument', '--prune deletes what -l selects and the files do not declare: say -l SELECTOR');
  const query = selectorQuery(selector);
  const declared = new Set(manifests.map(({ resource, namespace, name }) => idOf(resource.kind, namespace, name)));
  // Where nothing is declared nothing is looked at: another project may be somebody else's.
  const projects = new Set(manifests.flatMap(({ namespace }) => (namespace === undefined ? [] : [namespace])));
  const pruned: Pruned[] = [];
  for (const { plural, kind, terraform } of kinds) {
    // A change set says what once was applied as one.
    if (terraform === false) continue;
    const resource = resourceByAlias(plural);
    const paths = resource.namespaced
      ? [...projects].map((project) => collectionPath(resource, project))
      : [collectionPath(resource, undefined)];
    for (const path of paths) {
      const { items } = (await session.client.send('GET', path + query)) as { items: Found[] };
      for (const { metadata } of items)
        if (wasApplied(metadata) && !declared.has(idOf(kind, metadata.namespace, metadata.name)))
          pruned.push({ resource, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid });
    }
  }
  return pruned;
}

/** Exit code. */
export async function prune(
  session: Session,
  surroundings: Surroundings,
  pruned: readonly Pruned[],
  dryRun: DryRun | undefined,
  timeoutMs: number | undefined,
): Promise<number> {
  for (const target of pruned)
    surroundings.out(`${describeManifest(target)} pruned${dryRun ? ` (${dryRun} dry run)` : ''}\n`);
  return dryRun ? 0 : removeAll(session, surroundings, pruned, timeoutMs);
}

function idOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

function wasApplied({ annotations = {}, managedFields = [], deletionTimestamp }: Found['metadata']): boolean {
  if (deletionTimestamp !== undefined) return false;
  if (APPLIED in annotations || BY_KUBECTL in annotations) return true;
  return managedFields.some(({ operation, subresource }) => operation === 'Apply' && subresource !== 'status');
}
