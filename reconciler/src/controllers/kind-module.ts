/** What a kind is to the control plane: one folder, and one line in `index.ts`. */
import type { HostResource, KindDefinition, LiveResource } from '@plumb/schemas';
import type { HoldingTypes } from '../plan/holding.ts';
import type { Contributor } from './contributor.ts';
import type { Context, Controller } from './controller.ts';
import type { KindPreview } from './kind-preview.ts';
import type { OwnState } from './own-state.ts';
import type { PlacedKind } from './placed/placed-kind.ts';
import type { SharedProvider, SharedProviders } from './shared-provider.ts';
import type { WatchRule } from './watch/rules.ts';

/** Records whose keys begin alike. */
export interface KindRecords {
  readonly prefix: string;
  /** Why a record cannot be read; undefined when it can. Not asked of those that are read when the server starts. */
  whyNot?(value: string): string | undefined;
}

/** Of what objects of the placed kinds among these hold. */
export function holdingTypesOf(kinds: readonly KindModule[]): HoldingTypes {
  return new Map(kinds.flatMap(({ placed }) => (placed ? [[placed.holding.kind, placed.holding]] : [])));
}

/** Throws when two of them provide the same type: it would not be known whose it is. */
export function providersOf(kinds: readonly KindModule[]): SharedProviders {
  const providers = new Map<string, SharedProvider>();
  for (const provider of kinds.flatMap(({ provides = [] }) => provides)) {
    if (providers.has(provider.type)) throw new Error(`two kinds provide the resource type ${provider.type}`);
    providers.set(provider.type, provider);
  }
  return providers;
}

export interface KindModule {
  readonly kind: KindDefinition;
  /** What wakes it, beside what follows from references. */
  readonly watches: readonly WatchRule[];
  /** Kinds that it reads although nothing of them wakes it, each with the reason; `any` for all. */
  readonly alsoReads?: readonly { kind: string; because: string }[];
  /** What it writes, as the documentation has it: nobody else writes there. */
  readonly writes: readonly string[];
  /** Of a kind whose objects are made on a host that is chosen for them. */
  readonly placed?: PlacedKind;
  /** What of it others need on their hosts. */
  readonly provides?: readonly SharedProvider[];
  /** What it adds to the plans of placed objects of other kinds. */
  readonly contributes?: Contributor;
  /** What it remembers. */
  readonly keeps?: readonly OwnState<unknown>[];
  /** Records that it keeps in the store beside its objects. */
  readonly records?: readonly KindRecords[];
  /** What else is to be done with one of its objects that cannot be understood, when that is deleted. */
  readonly aside?: {
    /** Ends what was under way for it, before it goes. */
    end?(context: Context, uid: string): Promise<void>;
  };
  /** The resource as another of its objects wants it that declares the same as its former owner; undefined when none does. */
  heirOf?(context: Context, resource: LiveResource): HostResource | undefined;
  /** What applying its objects would do; nothing that could be told, if absent. */
  readonly preview?: KindPreview;
  controller(context: Context): Controller;
}
