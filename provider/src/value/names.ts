/** Names in a configuration. Pure. */

import type { KindDefinition } from '@plumb/schemas/kinds/define.ts';
import { NAME_PATTERN, nameRules } from '@plumb/schemas/meta/schema.ts';
import { type Diagnostic, failure } from '../diagnostic.ts';
import type { ObjectValue } from './value.ts';

/** One for each attribute that is known and no name. `rule`: what the attribute `name` may be. */
export function nameDiagnostics(
  values: ObjectValue,
  attributes: readonly string[],
  rule: KindDefinition['names'] = 'label',
): Diagnostic[] {
  return attributes.flatMap((attribute) => {
    const value = values[attribute];
    const pattern = attribute === 'name' ? nameRules[rule].pattern : NAME_PATTERN;
    if (typeof value !== 'string' || new RegExp(pattern, 'u').test(value)) return [];
    const detail = `${attribute} must match ${pattern}, but is ${JSON.stringify(value)}.`;
    return [failure(`Invalid ${attribute}`, detail, [{ attribute }])];
  });
}
