/** What deleting objects would do, as part of a preview: what goes from hosts, what gets free, and what keeps an object. */
import { type Instance, objectName } from '@plumb/schemas';
import { isProtected, protectedError } from '@plumb/schemas/meta/protection.ts';
import type { Cached } from '../runtime/cache.ts';
import { nameOfKey } from '../store/keys.ts';
import type { Context } from './controller.ts';
import type { Preview } from './preview.ts';
import { previewOf } from './preview-objects.ts';
import { stepView } from './preview-steps.ts';

/** Referrers that are named in a sentence. */
const NAMED = 5;

/**
 * Frees what the object holds for what is planned after it; whoever asks for the preview takes that back. `real` shows the object,
 * `imagined` what would be there without it.
 */
export function previewDeletion(real: Context, imagined: Context, { key, object, kind }: Cached): Preview {
  const steps = previewOf(real, kind)?.remove?.(imagined, { key, object, kind, revision: 0 }) ?? [];
  const { name, namespace } = object.metadata;
  const problem = isProtected(object)
    ? { reason: 'DeletionProtected', message: protectedError([object]).message, terminal: true }
    : blockedBy(keptBy(real, imagined, key, object.kind, name));
  return {
    ...{ kind: object.kind, name, ...(namespace === undefined ? {} : { namespace }) },
    action: 'delete',
    before: { uid: object.metadata.uid, generation: object.metadata.generation },
    changes: [],
    steps: steps.map(stepView),
    ...(problem ? { problem } : {}),
  };
}

/** Who needs it: what refers to it, and of a host what runs there. */
function keptBy(real: Context, imagined: Context, key: string, kind: string, name: string): string[] {
  const names = new Set<string>();
  for (const { object } of imagined.read.referrers(key)) names.add(nameOf(object));
  if (kind === 'Host')
    for (const uid of real.holdings.on(name)) {
      const instance = imagined.read.byUid(uid) as Cached<Instance> | undefined;
      if (instance && imagined.read.get(instance.key)) names.add(nameOf(instance.object));
    }
  return [...names].sort();
}

function nameOf({ kind, metadata }: Pick<Instance, 'metadata'> & { kind: string }): string {
  return `${kind} ${objectName(metadata)}`;
}

function blockedBy(by: readonly string[]): Preview['problem'] {
  if (by.length === 0) return undefined;
  const more = by.length > NAMED ? ` and ${by.length - NAMED} more` : '';
  const message = `it goes only when nothing needs it any more: ${by.slice(0, NAMED).join(', ')}${more}`;
  return { reason: 'DeletionBlocked', message, terminal: false };
}

/** Of an object that is not there. */
export function alreadyGone(kind: string, key: string): Preview {
  const [name = '', namespace] = nameOfKey(key).split('/').reverse();
  return {
    ...{ kind, name, ...(namespace === undefined ? {} : { namespace }) },
    ...{ action: 'none', changes: [], steps: [], note: 'is not there' },
  };
}
