/** What a kind is to the control plane: one folder, and one line in `index.ts`. */
import type { KindDefinition } from '@plumb/schemas';
import type { Context, Controller } from './controller.ts';
import type { KindPreview } from './kind-preview.ts';
import type { OwnState } from './own-state.ts';
import type { WatchRule } from './watch/rules.ts';

export interface KindModule {
  readonly kind: KindDefinition;
  /** What wakes it, beside what follows from references. */
  readonly watches: readonly WatchRule[];
  /** Kinds that it reads although nothing of them wakes it, each with the reason; `any` for all. */
  readonly alsoReads?: readonly { kind: string; because: string }[];
  /** What it writes, as the documentation has it: nobody else writes there. */
  readonly writes: readonly string[];
  /** What it remembers. */
  readonly keeps?: readonly OwnState<unknown>[];
  /** What applying its objects would do; nothing that could be told, if absent. */
  readonly preview?: KindPreview;
  controller(context: Context): Controller;
}
