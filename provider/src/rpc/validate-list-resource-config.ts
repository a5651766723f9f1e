import { kindOfType } from '../resources.ts';
import { checkSelection } from '../value/selection.ts';
import { objectIn } from '../wire/convert.ts';
import type { ValidateRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded, verdict } from './rpc.ts';

/** What can be said of a list block without the server. */
export const validateListResourceConfig = guarded<ValidateRequest, WithDiagnostics>(
  'The list cannot be validated',
  ({ typeName, config }) => verdict(checkSelection(objectIn(config, kindOfType(typeName).selection) ?? {})),
);
