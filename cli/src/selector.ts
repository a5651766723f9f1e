/** `-l`: a label selector on the command line. It is read here, too, with the server's own reader: a mistake goes no further. */
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { labelSelector } from '@plumb/schemas/selectors/labels.ts';
import type { Session } from './command.ts';
import type { Target } from './follow.ts';
import { collectionPath, resourcesByWord } from './resources.ts';

/** The query of a collection; empty without a selector. Throws PlumbError `BadArgument` (terminal) when it cannot be read. */
export function selectorQuery(selector: string | undefined): string {
  if (selector === undefined) return '';
  try {
    labelSelector(selector);
  } catch (error) {
    throw terminal('BadArgument', `-l: ${PlumbError.from(error, 'selector').message}`);
  }
  return `?labelSelector=${encodeURIComponent(selector)}`;
}

/**
 * The objects of `KIND[,KIND…] -l SELECTOR`. Throws PlumbError `BadArgument` (terminal) for a selector that is blank: nothing is
 * to be deleted by all that a variable of a script turned out not to hold.
 */
export async function selectedTargets(
  words: readonly string[],
  selector: string,
  { client, namespace }: Session,
): Promise<Target[]> {
  if (selector.trim() === '')
    throw terminal('BadArgument', '-l is empty, and would select everything: name the objects');
  const query = selectorQuery(selector);
  const [kinds, ...names] = words;
  if (kinds === undefined || kinds.includes('/') || names.length > 0)
    throw terminal('BadArgument', 'with -l say of which kind: KIND -l SELECTOR, and name no objects');
  const targets: Target[] = [];
  for (const word of kinds.split(',')) {
    for (const resource of resourcesByWord(word)) {
      const { items } = await client.send('GET', collectionPath(resource, namespace) + query);
      for (const { metadata } of items as { metadata: { name: string; namespace?: string } }[])
        targets.push({ resource, namespace: metadata.namespace, name: metadata.name });
    }
  }
  return targets;
}
