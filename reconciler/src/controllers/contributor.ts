/**
 * What a kind adds to the plans of placed objects of other kinds, without these knowing of it: a filter for each port, wherever
 * one is. It sees an object by its metadata and by the resources that its own kind wants for it, and no more.
 */
import type { HostResource, KindDefinition, PlumbObject, ResourceType } from '@plumb/schemas';
import type { Cached } from '../runtime/cache.ts';
import type { Context } from './controller.ts';
import type { KindModule } from './kind-module.ts';
import type { ObjectChange } from './watch/rules.ts';

export interface Contribution {
  /** Owned by the object, made and removed with it. What they require that many share comes from who provides it. */
  readonly resources: readonly HostResource[];
  /** The objects of which they follow. */
  readonly used: readonly Cached[];
}

export interface Contributor {
  /** Types of resources that it contributes, and that those require. */
  readonly types: readonly ResourceType[];
  /**
   * What decides what is contributed to an object, of its metadata and of all else, as a text: objects for which it is the same, and
   * whose own resources are alike, get alike resources. Empty: nothing is contributed.
   */
  likeness(context: Context, object: PlumbObject): string;
  /** `own`: the resources that its kind wants for it. Pure, but for reading. */
  contribute(context: Context, object: PlumbObject, own: readonly HostResource[]): Contribution;
  /** Changes whenever a likeness may be another although its object is the same. */
  version(context: Context): number;
  /** Keys of the placed objects to which something else may be contributed since an object of the contributing kind changed. */
  wake(change: ObjectChange, context: Context): Iterable<string>;
  /** When that is, as the documentation has it. */
  readonly when: string;
}

export type Contributors = readonly Contributor[];

/** Each with the kind that contributes. */
export function contributing(kinds: readonly KindModule[]): { kind: KindDefinition; contributor: Contributor }[] {
  return kinds.flatMap(({ kind, contributes }) => (contributes ? [{ kind, contributor: contributes }] : []));
}

const NOTHING: Contribution = { resources: [], used: [] };

/** What all of them add to an object. */
export function contributionsTo(context: Context, object: PlumbObject, own: readonly HostResource[]): Contribution {
  let all = NOTHING;
  for (const contributor of context.contributors) {
    if (contributor.likeness(context, object) === '') continue;
    const { resources, used } = contributor.contribute(context, object, own);
    all = { resources: [...all.resources, ...resources], used: [...all.used, ...used] };
  }
  return all;
}

/** As {@link Contributor.likeness}, of all of them. */
export function likenessOf(context: Context, object: PlumbObject): string {
  let text = '';
  for (const contributor of context.contributors) text += contributor.likeness(context, object);
  return text;
}

/** As {@link Contributor.types}, of those that contribute to the object. */
export function typesFor(context: Context, object: PlumbObject): ResourceType[] {
  return context.contributors.flatMap((contributor) =>
    contributor.likeness(context, object) === '' ? [] : contributor.types,
  );
}

/** As {@link Contributor.version}, of all of them. */
export function contributionsVersion(context: Context): number {
  return context.contributors.reduce((sum, contributor) => sum + contributor.version(context), 0);
}
