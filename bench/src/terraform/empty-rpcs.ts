/**
 * A provider that does nothing, in the frame of ours: `plumb_nothing` holds a name, and is made without asking anybody. The bundle
 * has this in the place of `provider/src/rpc/index.ts`, so what it costs is Terraform, the shim, gRPC and the frame.
 */
interface Value {
  msgpack: Uint8Array;
}

interface Change {
  proposedNewState: Value;
  plannedState: Value;
  currentState: Value;
  rawState: { json: Uint8Array };
}

const attribute = (name: string) => ({ name, description: name, type: Buffer.from('"string"'), required: true });
const block = (...names: string[]) => ({ version: 0, block: { version: 0, attributes: names.map(attribute) } });

const schemas = {
  provider: block(),
  resourceSchemas: { plumb_nothing: block('name') },
  dataSourceSchemas: {},
  serverCapabilities: { getProviderSchemaOptional: true },
};
const metadata = { resources: [{ typeName: 'plumb_nothing' }], serverCapabilities: schemas.serverCapabilities };

/** `{"name": text}` in msgpack; a name is short. */
function named(json: Uint8Array): Uint8Array {
  const { name } = JSON.parse(Buffer.from(json).toString('utf8')) as { name: string };
  const text = Buffer.from(name);
  return Buffer.concat([Buffer.from([0x81, 0xa4]), Buffer.from('name'), Buffer.from([0xd9, text.length]), text]);
}

export const rpcs = {
  GetMetadata: () => metadata,
  GetProviderSchema: () => schemas,
  ValidateProviderConfig: () => ({}),
  ConfigureProvider: () => ({}),
  ValidateResourceConfig: () => ({}),
  UpgradeResourceState: ({ rawState }: Change) => ({ upgradedState: { msgpack: named(rawState.json) } }),
  ReadResource: ({ currentState }: Change) => ({ newState: currentState }),
  PlanResourceChange: ({ proposedNewState }: Change) => ({ plannedState: proposedNewState }),
  ApplyResourceChange: ({ plannedState }: Change) => ({ newState: plannedState }),
  GetFunctions: () => ({}),
  StopProvider: () => ({}),
};

export const streams = {};
