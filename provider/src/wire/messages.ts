/** The messages of tfplugin6.proto as they come from and go to protobufjs. Nothing but rpc/ and wire/ sees them. */

export interface DynamicValue {
  msgpack?: Uint8Array;
  json?: Uint8Array;
}

export interface WireStep {
  attributeName?: string;
  elementKeyString?: string;
  elementKeyInt?: number;
}

export interface WirePath {
  steps: WireStep[];
}

export interface WireDiagnostic {
  severity: 1 | 2;
  summary: string;
  detail: string;
  attribute?: WirePath;
}

export interface WireAttribute {
  name: string;
  description: string;
  type?: Uint8Array;
  nestedType?: { nesting: 1 | 2; attributes: WireAttribute[] };
  required?: boolean;
  optional?: boolean;
  computed?: boolean;
  sensitive?: boolean;
}

export interface WireSchema {
  version: number;
  block: { version: number; description: string; attributes: WireAttribute[] };
}

export interface ServerCapabilities {
  planDestroy: boolean;
  getProviderSchemaOptional: boolean;
  moveResourceState: boolean;
}

export interface WithDiagnostics {
  diagnostics?: WireDiagnostic[];
}

export type Empty = Record<never, never>;

export interface MetadataReply {
  serverCapabilities: ServerCapabilities;
  dataSources: { typeName: string }[];
  resources: { typeName: string }[];
}

export interface SchemaReply {
  provider: WireSchema;
  resourceSchemas: Record<string, WireSchema>;
  dataSourceSchemas: Record<string, WireSchema>;
  serverCapabilities: ServerCapabilities;
}

export interface ProviderConfigRequest {
  config: DynamicValue;
}

export interface ConfigureRequest extends ProviderConfigRequest {
  terraformVersion: string;
}

export interface ValidateRequest {
  typeName: string;
  config: DynamicValue;
}

export interface UpgradeRequest {
  typeName: string;
  rawState: { json: Uint8Array };
}

export interface UpgradeReply extends WithDiagnostics {
  upgradedState?: DynamicValue;
}

export interface ReadRequest {
  typeName: string;
  currentState: DynamicValue;
  private: Uint8Array;
}

export interface ReadReply extends WithDiagnostics {
  newState?: DynamicValue;
  private?: Uint8Array;
}

export interface PlanRequest {
  typeName: string;
  priorState: DynamicValue;
  proposedNewState: DynamicValue;
  config: DynamicValue;
  priorPrivate: Uint8Array;
}

export interface PlanReply extends WithDiagnostics {
  plannedState?: DynamicValue;
  requiresReplace?: WirePath[];
  plannedPrivate?: Uint8Array;
}

export interface ApplyRequest {
  typeName: string;
  priorState: DynamicValue;
  plannedState: DynamicValue;
  config: DynamicValue;
  plannedPrivate: Uint8Array;
}

export interface ApplyReply extends WithDiagnostics {
  newState?: DynamicValue;
  private?: Uint8Array;
}

export interface ImportRequest {
  typeName: string;
  id: string;
}

export interface ImportReply extends WithDiagnostics {
  importedResources?: { typeName: string; state: DynamicValue }[];
}

export interface MoveRequest {
  sourceProviderAddress: string;
  sourceTypeName: string;
  sourceState: { json: Uint8Array };
  targetTypeName: string;
}

export interface MoveReply extends WithDiagnostics {
  targetState?: DynamicValue;
}

export interface ReadDataReply extends WithDiagnostics {
  state?: DynamicValue;
}
