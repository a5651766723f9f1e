import { kindOfPlural, kindOfType } from '../resources.ts';
import { nameDiagnostics } from '../value/names.ts';
import { checkSelection } from '../value/selection.ts';
import { objectIn } from '../wire/convert.ts';
import type { ValidateRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded, verdict } from './rpc.ts';

/** A data source is asked for by name and project; both must be names. One of many objects is asked for by selectors. */
export const validateDataResourceConfig = guarded<ValidateRequest, WithDiagnostics>(
  'The configuration cannot be validated',
  ({ typeName, config }) => {
    const many = kindOfPlural(typeName);
    if (many) return verdict(checkSelection(objectIn(config, many.plural) ?? {}));
    const { kind, dataSource } = kindOfType(typeName);
    return verdict(nameDiagnostics(objectIn(config, dataSource) ?? {}, ['name', 'project'], kind.names));
  },
);
