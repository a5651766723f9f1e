/** What the provider says of itself over the protocol, as the pages read it: whatever it serves gets its page. */
import { rpcs } from '../../provider/src/rpc/index.ts';

export interface Attribute {
  name: string;
  description?: string;
  /** The type in JSON, as the protocol carries it. */
  type?: Uint8Array;
  nestedType?: { nesting: number; attributes: Attribute[] };
  required?: boolean;
  optional?: boolean;
  computed?: boolean;
  sensitive?: boolean;
  writeOnly?: boolean;
  deprecated?: boolean;
}

export interface Schema {
  version?: number;
  block: { description?: string; attributes?: Attribute[] };
}

export interface Parameter {
  name: string;
  type: Uint8Array;
  description?: string;
  allowNullValue?: boolean;
}

export interface ProviderFunction {
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  variadicParameter?: Parameter;
  return: { type: Uint8Array };
}

/** By type, or by name of the function. */
export interface Served {
  provider: Schema;
  resources: Record<string, Schema>;
  dataSources: Record<string, Schema>;
  ephemeralResources: Record<string, Schema>;
  listResources: Record<string, Schema>;
  actions: Record<string, Schema>;
  functions: Record<string, ProviderFunction>;
}

/** Asks the provider. No server is asked, and no session is needed. */
export async function served(): Promise<Served> {
  const ask = async (name: string) =>
    (await rpcs[name]!({} as never, undefined as never)) as Record<string, Record<string, unknown> | undefined>;
  const schemas = await ask('GetProviderSchema');
  const functions = (await ask('GetFunctions')).functions ?? schemas.functions ?? {};
  const of = (key: string) => (schemas[key] ?? {}) as Record<string, Schema>;
  return {
    provider: schemas.provider as unknown as Schema,
    resources: of('resourceSchemas'),
    dataSources: of('dataSourceSchemas'),
    ephemeralResources: of('ephemeralResourceSchemas'),
    listResources: of('listResourceSchemas'),
    // An action's schema may lie in one of its own.
    actions: Object.fromEntries(
      Object.entries(of('actionSchemas')).map(([name, one]) => [name, (one as { schema?: Schema }).schema ?? one]),
    ),
    functions: functions as Record<string, ProviderFunction>,
  };
}
