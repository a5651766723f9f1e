import { providerAttributes, terraformKinds } from '../resources.ts';
import { wireSchema } from '../wire/convert.ts';
import type { Empty, SchemaReply } from '../wire/messages.ts';
import { capabilities } from './capabilities.ts';
import type { Rpc } from './rpc.ts';

let reply: SchemaReply | undefined;

/** Every schema. It is built once a process. */
export const getProviderSchema: Rpc<Empty, SchemaReply> = () => {
  reply ??= {
    provider: wireSchema(providerAttributes, 'Plumb: a private cloud that you declare.'),
    resourceSchemas: schemas('resource'),
    dataSourceSchemas: schemas('dataSource'),
    serverCapabilities: capabilities,
  };
  return reply;
};

function schemas(block: 'resource' | 'dataSource'): SchemaReply['resourceSchemas'] {
  return Object.fromEntries(terraformKinds.map((k) => [k.typeName, wireSchema(k[block], k.kind.description)]));
}
