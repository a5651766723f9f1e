/** What a session asks the server to review, and what of earlier questions goes with it. Pure. */
import type { Draft } from '@plumb/client/objects.ts';
import { everyKind, type KindDefinition } from '@plumb/schemas';
import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import type { planReview } from '@plumb/schemas/reviews/plan-review.ts';

export type Reviewed = NonNullable<ValueOf<typeof planReview.status>['objects']>[number];
export type Question = ValueOf<typeof planReview.spec>;
export type Manifest = NonNullable<Question['objects']>[number];

/** How many of what others refer to, and of the rest, go with a question; beyond that, where things will be is not told. */
const MOST_REFERRED = 128;
const MOST_OTHERS = 32;

const referred = new Set(everyKind.flatMap(({ references }) => references.map(({ kind }) => kind)));

/** An object as it would be applied. */
export function manifestOf(kind: KindDefinition, draft: Draft): Manifest {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...draft } as Manifest;
}

export function keyOf({ kind, metadata }: Pick<Manifest, 'kind'> & { metadata: { name: string; namespace?: string } }) {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}

/** What a session has planned to change, by key, the latest last. */
export class Planned {
  readonly #referred = new Map<string, Manifest>();
  readonly #others = new Map<string, Manifest>();
  /** Whether something was left out. */
  #cut = false;

  get isWhole(): boolean {
    return !this.#cut;
  }

  add(manifest: Manifest): void {
    const [kept, most] = referred.has(manifest.kind) ? [this.#referred, MOST_REFERRED] : [this.#others, MOST_OTHERS];
    const key = keyOf(manifest);
    kept.delete(key);
    kept.set(key, manifest);
    if (kept.size <= most) return;
    kept.delete(kept.keys().next().value!);
    this.#cut = true;
  }

  remove(key: string): void {
    this.#referred.delete(key);
    this.#others.delete(key);
  }

  /** What goes with a question about these. */
  beside(keys: ReadonlySet<string>): Manifest[] {
    return [...this.#referred, ...this.#others].filter(([key]) => !keys.has(key)).map(([, manifest]) => manifest);
  }
}
