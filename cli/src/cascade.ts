/** `plumb delete --cascade`: the whole blast radius is shown, and asked about, before anything is marked. */
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { Session } from './command.ts';
import type { Target } from './follow.ts';
import { describeManifest } from './manifests.ts';
import { resourceByKind } from './resources.ts';
import type { Surroundings } from './surroundings.ts';

const PATH = '/apis/plumb.dev/v1/cascades';

interface Reached {
  kind: string;
  namespace?: string;
  name: string;
  because: string;
}

/**
 * Marks the targets and everything that refers to them, in one commit. Returns what was marked, for waiting; undefined
 * when the person did not want it.
 */
export async function markCascade(
  session: Session,
  surroundings: Surroundings,
  targets: readonly Target[],
  yes: boolean,
): Promise<Target[] | undefined> {
  const roots = targets.map(({ resource, namespace, name }) => ({ kind: resource.kind, namespace, name }));
  const preview = await session.client.send('POST', PATH, { body: { objects: roots, dryRun: true } });
  const reached: Reached[] = preview.items;
  surroundings.out(`This deletes ${reached.length} objects:\n`);
  for (const one of reached)
    surroundings.out(`  ${describeManifest(targetOf(one))}${one.because ? `   ${one.because}` : ''}\n`);
  if (!yes && !(await agreed(surroundings))) {
    surroundings.out('Nothing was deleted.\n');
    return undefined;
  }
  const marked = await session.client.send('POST', PATH, { body: { objects: roots, expect: reached.length } });
  return (marked.items as Reached[]).map(targetOf);
}

async function agreed(surroundings: Surroundings): Promise<boolean> {
  surroundings.err('Delete all of them? Type yes: ');
  const answer = await surroundings.line();
  if (answer === undefined)
    throw terminal(
      'NotConfirmed',
      'standard input is closed, so the question cannot be answered; --yes deletes without asking',
    );
  return answer.trim().toLowerCase() === 'yes';
}

function targetOf({ kind, namespace, name }: Reached): Target {
  const resource = resourceByKind('plumb.dev/v1', kind);
  if (!resource)
    throw terminal(
      'UnknownKind',
      `the server names the kind ${kind}, which this plumb does not know: bring both to one version`,
    );
  return { resource, namespace, name };
}
