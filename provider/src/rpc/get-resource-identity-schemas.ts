import { DEFAULT_PROJECT } from '@plumb/schemas/project/terraform.ts';
import { terraformKinds } from '../resources.ts';
import { SCHEMA_VERSION } from '../wire/convert.ts';
import type { Empty, IdentitySchemasReply, WireIdentitySchema } from '../wire/messages.ts';
import type { Rpc } from './rpc.ts';

/** What each resource is identified by: `import { identity = { … } }` and `terraform query` use it. */
export const getResourceIdentitySchemas: Rpc<Empty, IdentitySchemasReply> = () => ({
  identitySchemas: Object.fromEntries(
    terraformKinds.map(({ typeName, identity }): [string, WireIdentitySchema] => [
      typeName,
      {
        version: SCHEMA_VERSION,
        identityAttributes: identity.map(({ name, type, description, required }) => ({
          name,
          type: Buffer.from(JSON.stringify(type)),
          description: required ? description : `${description} Without it: ${DEFAULT_PROJECT}.`,
          ...(required ? { requiredForImport: true } : { optionalForImport: true }),
        })),
      },
    ]),
  ),
});
