/** Kinds that are asked and answered, and never stored: the question is created, and the answer is its status. */
import type { ObjectSchema } from '../kinds/define.ts';

export interface ReviewDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly description: string;
  /** The question. */
  readonly spec: ObjectSchema;
  /** The answer. */
  readonly status: ObjectSchema;
}

/** Keeps the literal types of a declaration. */
export function defineReview<const R extends ReviewDefinition>(definition: R): R {
  return definition;
}
