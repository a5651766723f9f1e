import { actions } from '../actions/list.ts';
import { ephemerals } from '../ephemeral/list.ts';
import { functions } from '../functions/list.ts';
import { terraformKinds } from '../resources.ts';
import type { Empty, MetadataReply } from '../wire/messages.ts';
import { capabilities } from './capabilities.ts';
import type { Rpc } from './rpc.ts';

/** The names of all types, without their schemas. */
export const getMetadata: Rpc<Empty, MetadataReply> = () => {
  const names = terraformKinds.map(({ typeName }) => ({ typeName }));
  const plurals = terraformKinds.map(({ pluralType }) => ({ typeName: pluralType }));
  return {
    serverCapabilities: capabilities,
    resources: names,
    dataSources: [...names, ...plurals],
    listResources: names,
    functions: Object.keys(functions).map((name) => ({ name })),
    actions: Object.keys(actions).map((typeName) => ({ typeName })),
    ephemeralResources: Object.keys(ephemerals).map((typeName) => ({ typeName })),
  };
};
