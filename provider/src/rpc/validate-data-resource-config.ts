import { NAME_PATTERN } from '@plumb/schemas/meta/schema.ts';
import { failure } from '../diagnostic.ts';
import { kindOfType } from '../resources.ts';
import { objectIn } from '../wire/convert.ts';
import type { ValidateRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded, verdict } from './rpc.ts';

/** A data source is asked for by name and project; both must be names. */
export const validateDataResourceConfig = guarded<ValidateRequest, WithDiagnostics>(
  'The configuration cannot be validated',
  ({ typeName, config }) => {
    const values = objectIn(config, kindOfType(typeName).dataSource) ?? {};
    const wrong = ['name', 'project'].flatMap((attribute) => {
      const value = values[attribute];
      if (typeof value !== 'string' || new RegExp(NAME_PATTERN).test(value)) return [];
      const detail = `${attribute} must match ${NAME_PATTERN}, but is ${JSON.stringify(value)}.`;
      return [failure(`Invalid ${attribute}`, detail, [{ attribute }])];
    });
    return verdict(wrong);
  },
);
