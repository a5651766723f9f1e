import { kindOfType } from '../resources.ts';
import { generatedConfig } from '../value/generate.ts';
import { dynamic, objectIn } from '../wire/convert.ts';
import type { GenerateReply, GenerateRequest } from '../wire/messages.ts';
import { guarded } from './rpc.ts';

/** The configuration that `terraform query` and `plan -generate-config-out` write for an object. */
export const generateResourceConfig = guarded<GenerateRequest, GenerateReply>(
  'No configuration can be generated',
  ({ typeName, state }) => {
    const { resource } = kindOfType(typeName);
    const held = objectIn(state, resource);
    return { config: dynamic(held && generatedConfig(held, resource), resource) };
  },
);
