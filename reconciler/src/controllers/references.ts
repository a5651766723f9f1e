/** Objects that an object refers to: found and usable, or the condition that says what is missing. */
import { about, objectName, type PlumbObject, retryable, terminal } from '@plumb/schemas';
import type { Cached } from '../runtime/cache.ts';
import { isReady, isStalled } from '../runtime/conditions.ts';
import { referenceKey } from '../runtime/references.ts';
import type { Context } from './controller.ts';

/**
 * The object that `word` names. Throws retryable `ReferenceNotFound`; for who does not hold it yet also
 * `ReferenceDeleting`.
 */
export function resolve<T extends PlumbObject>(
  context: Context,
  from: PlumbObject,
  field: string,
  kind: string,
  word: string,
  options: { newUse: boolean },
): Cached<T> {
  const key = referenceKey(kind, from.metadata.namespace, word);
  const own = ownField(field);
  const found = context.read.get<T>(key);
  if (!found && context.cache.poisoned.get(key))
    throw about(
      own,
      retryable(
        'ReferencePoisoned',
        `${field}: ${kind} ${word} cannot be understood; it waits until that is mended: plumb get poisoned says what is wrong`,
      ),
    );
  if (!found)
    throw about(own, retryable('ReferenceNotFound', `${field}: there is no ${kind} ${word} yet; it waits for one`));
  if (options.newUse && found.object.metadata.deletionTimestamp)
    throw about(
      own,
      retryable('ReferenceDeleting', `${field}: ${kind} ${word} is being deleted; it waits until that is over`),
    );
  return found;
}

/** Of `spec.l3Network: spec.l2Network`, which is a reference of what is referred to, the one that the object itself has. */
function ownField(field: string): string {
  return field.split(': ', 1)[0]!;
}

/** Throws `ReferenceNotReady` with the other's own words; terminal when the other cannot become ready by itself. */
export function mustBeReady(field: string, found: Cached): void {
  const { object } = found;
  if (isReady(object)) return;
  const ready = object.status?.conditions?.find((c) => c.type === 'Ready');
  const why = ready && ready.status !== 'True' ? `: ${ready.reason}: ${ready.message}` : '';
  const message = `${field}: ${object.kind} ${objectName(object.metadata)} is not ready${why}`;
  const reason = 'ReferenceNotReady';
  throw about(ownField(field), isStalled(object) ? terminal(reason, message) : retryable(reason, message));
}

/** `Kind namespace/name` of everything that refers to the object, sorted. `living`: of what is not being deleted itself. */
export function referrerNames(
  { cache, read }: Pick<Context, 'cache' | 'read'>,
  { key }: Pick<Cached, 'key'>,
  { living = false } = {},
): string[] {
  const aside = Array.from(cache.poisoned.referrers(key), ({ rest }) => rest);
  return [...Array.from(read.referrers(key), ({ object }) => object), ...aside]
    .filter(({ metadata }) => !living || metadata.deletionTimestamp === undefined)
    .map(({ kind, metadata }) => `${kind} ${objectName(metadata)}`)
    .sort();
}

/** The same of those that are not being deleted, as of that revision of the store or later. */
export async function livingReferrers(
  context: Pick<Context, 'cache' | 'read'>,
  key: string,
  revision: number,
): Promise<string[]> {
  await context.cache.shows(revision);
  return referrerNames(context, { key }, { living: true });
}

/** The name of the object with this uid, whether or not it can be understood. */
export function nameOf({ cache, read }: Pick<Context, 'read' | 'cache'>, uid: string): string {
  const object = read.byUid(uid)?.object ?? cache.poisoned.byUid(uid)?.rest;
  return object ? `${object.kind} ${objectName(object.metadata)}` : `the object with uid ${uid}`;
}
