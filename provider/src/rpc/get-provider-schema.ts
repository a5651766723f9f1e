import { actions } from '../actions/list.ts';
import { ephemerals } from '../ephemeral/list.ts';
import { providerAttributes, terraformKinds } from '../resources.ts';
import { wireSchema } from '../wire/convert.ts';
import type { Empty, SchemaReply } from '../wire/messages.ts';
import { encodedOnce } from '../wire/services.ts';
import { capabilities } from './capabilities.ts';
import { wireFunctions } from './get-functions.ts';
import type { Rpc } from './rpc.ts';

let reply: SchemaReply | undefined;

/** Every schema. It is built once a process. */
export const getProviderSchema: Rpc<Empty, SchemaReply> = () => {
  reply ??= encodedOnce({
    provider: wireSchema(providerAttributes, 'Plumb: a private cloud that you declare.'),
    resourceSchemas: schemas('resource'),
    dataSourceSchemas: { ...schemas('dataSource'), ...plurals() },
    functions: wireFunctions,
    actionSchemas: Object.fromEntries(
      Object.entries(actions).map(([type, { attributes, description }]) => [
        type,
        { schema: wireSchema(attributes, description) },
      ]),
    ),
    ephemeralResourceSchemas: Object.fromEntries(
      Object.entries(ephemerals).map(([type, { attributes, description }]) => [
        type,
        wireSchema(attributes, description),
      ]),
    ),
    listResourceSchemas: schemas('selection'),
    serverCapabilities: capabilities,
  });
  return reply;
};

function plurals(): SchemaReply['dataSourceSchemas'] {
  return Object.fromEntries(
    terraformKinds.map(({ pluralType, plural, kind }) => [
      pluralType,
      wireSchema(plural, `Many at once, chosen by labels and fields: ${kind.description}`),
    ]),
  );
}

function schemas(block: 'resource' | 'dataSource' | 'selection'): SchemaReply['resourceSchemas'] {
  return Object.fromEntries(terraformKinds.map((k) => [k.typeName, wireSchema(k[block], k.kind.description)]));
}
