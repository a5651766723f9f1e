/** Fields that are fixed at creation. */
import { isDeepStrictEqual } from 'node:util';
import type { KindDefinition } from '../kinds/define.ts';
import type { FieldError } from '../meta/error.ts';
import type { PlumbObject } from '../meta/object.ts';
import { isSecretAt } from './conceal.ts';
import { shown } from './shown.ts';
import { schemaNode } from './validate-schema.ts';

/** The immutable spec fields that differ between what is stored and what is wanted; both after defaulting. */
export function immutableErrors(kind: KindDefinition, old: PlumbObject, wanted: PlumbObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const path of kind.immutable) {
    const steps = path.split('.');
    const before = valueAt(old.spec, steps);
    const after = valueAt(wanted.spec, steps);
    if (isDeepStrictEqual(before, after)) continue;
    const show = (value: unknown) => (value === undefined ? 'nothing' : shown(value));
    const change = isSecretAt(schemaNode(kind.spec), steps) ? '' : ` from ${show(before)} to ${show(after)}`;
    errors.push({
      field: `spec.${path}`,
      message: `cannot be changed${change}: it is fixed when the ${kind.kind} is created; delete it and create it again`,
    });
  }
  return errors;
}

/** The same in the sentence of the kind's CustomResourceDefinition: see crd.ts. */
export function fixedErrors(kind: KindDefinition, old: PlumbObject, wanted: PlumbObject): FieldError[] {
  return immutableErrors(kind, old, wanted).map(({ field }) => ({ field, message: `Invalid value: ${FIXED}` }));
}

export const FIXED = 'is fixed when the object is created';

function valueAt(spec: unknown, steps: string[]): unknown {
  return steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], spec);
}
