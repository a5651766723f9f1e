import type { Diagnostic } from '../diagnostic.ts';
import type { Private } from '../value/private.ts';
import type { ObjectValue } from '../value/value.ts';

/** What an operation leaves behind: the state for Terraform to keep (null: there is no object), and what went wrong. */
export interface Outcome {
  state: ObjectValue | null;
  diagnostics: Diagnostic[];
  /** Kept beside the state; nothing, if absent. */
  kept?: Private;
}
