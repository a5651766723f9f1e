import { kindOfType } from '../resources.ts';
import { checkConfig } from '../value/check.ts';
import { objectIn } from '../wire/convert.ts';
import type { ValidateRequest, WithDiagnostics } from '../wire/messages.ts';
import { guarded, verdict } from './rpc.ts';

/** All rules that what is known of the configuration breaks, each on its attribute. */
export const validateResourceConfig = guarded<ValidateRequest, WithDiagnostics>(
  'The configuration cannot be validated',
  ({ typeName, config }) => {
    const kind = kindOfType(typeName);
    return verdict(checkConfig(kind, objectIn(config, kind.resource) ?? {}));
  },
);
