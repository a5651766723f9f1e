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
  writeOnly?: boolean;
}

/** Which object a state speaks of, as the kind's identity schema says. */
export interface IdentityData {
  identityData: DynamicValue;
}

/** What Terraform or OpenTofu can do; null where it says nothing of it. */
export interface ClientCapabilities {
  deferralAllowed: boolean;
  writeOnlyAttributesAllowed: boolean;
}

/** The answer is put off: what is asked for is not known yet. */
export interface Deferred {
  reason: 1 | 2 | 3;
}

interface WithCapabilities {
  clientCapabilities: ClientCapabilities | null;
}

export interface WireSchema {
  version: number;
  block: { version: number; description: string; attributes: WireAttribute[] };
}

export interface ServerCapabilities {
  planDestroy: boolean;
  getProviderSchemaOptional: boolean;
  moveResourceState: boolean;
  generateResourceConfig: boolean;
}

export interface WireIdentitySchema {
  version: number;
  identityAttributes: {
    name: string;
    type: Uint8Array;
    requiredForImport?: boolean;
    optionalForImport?: boolean;
    description: string;
  }[];
}

export interface IdentitySchemasReply {
  identitySchemas: Record<string, WireIdentitySchema>;
}

export interface UpgradeIdentityRequest {
  typeName: string;
  version: number;
  rawIdentity: { json: Uint8Array };
}

export interface UpgradeIdentityReply extends WithDiagnostics {
  upgradedIdentity?: IdentityData;
}

export interface WireParameter {
  name: string;
  type: Uint8Array;
  description: string;
}

export interface WireFunction {
  parameters: WireParameter[];
  variadicParameter?: WireParameter;
  return: { type: Uint8Array };
  summary: string;
  description: string;
}

export interface FunctionsReply {
  functions: Record<string, WireFunction>;
}

export interface WithDiagnostics {
  diagnostics?: WireDiagnostic[];
}

export type Empty = Record<never, never>;

export interface MetadataReply {
  serverCapabilities: ServerCapabilities;
  dataSources: { typeName: string }[];
  resources: { typeName: string }[];
  functions?: { name: string }[];
  ephemeralResources?: { typeName: string }[];
  listResources?: { typeName: string }[];
  actions?: { typeName: string }[];
}

export interface SchemaReply {
  provider: WireSchema;
  resourceSchemas: Record<string, WireSchema>;
  dataSourceSchemas: Record<string, WireSchema>;
  functions?: Record<string, WireFunction>;
  ephemeralResourceSchemas?: Record<string, WireSchema>;
  listResourceSchemas?: Record<string, WireSchema>;
  actionSchemas?: Record<string, { schema: WireSchema }>;
  serverCapabilities: ServerCapabilities;
}

export interface ProviderConfigRequest {
  config: DynamicValue;
}

export interface ConfigureRequest extends ProviderConfigRequest, WithCapabilities {
  terraformVersion: string;
}

export interface ValidateRequest {
  typeName: string;
  config: DynamicValue;
}

export interface ValidateResourceRequest extends ValidateRequest, WithCapabilities {}

export interface UpgradeRequest {
  typeName: string;
  version: number;
  rawState: { json: Uint8Array };
}

export interface UpgradeReply extends WithDiagnostics {
  upgradedState?: DynamicValue;
}

export interface ReadRequest extends WithCapabilities {
  typeName: string;
  currentState: DynamicValue;
  private: Uint8Array;
}

export interface ReadReply extends WithDiagnostics {
  newState?: DynamicValue;
  private?: Uint8Array;
  newIdentity?: IdentityData;
  deferred?: Deferred;
}

export interface PlanRequest extends WithCapabilities {
  typeName: string;
  priorState: DynamicValue;
  proposedNewState: DynamicValue;
  config: DynamicValue;
  priorPrivate: Uint8Array;
  plannedPrivate: Uint8Array;
}

export interface PlanReply extends WithDiagnostics {
  plannedState?: DynamicValue;
  requiresReplace?: WirePath[];
  plannedPrivate?: Uint8Array;
  plannedIdentity?: IdentityData;
  deferred?: Deferred;
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
  newIdentity?: IdentityData;
}

export interface ImportRequest extends WithCapabilities {
  typeName: string;
  id: string;
  identity: IdentityData | null;
}

export interface ImportReply extends WithDiagnostics {
  importedResources?: { typeName: string; state: DynamicValue; identity: IdentityData }[];
  deferred?: Deferred;
}

export interface MoveRequest {
  sourceProviderAddress: string;
  sourceTypeName: string;
  sourceSchemaVersion: number;
  sourcePrivate: Uint8Array;
  sourceState: { json: Uint8Array };
  targetTypeName: string;
}

export interface MoveReply extends WithDiagnostics {
  targetState?: DynamicValue;
  targetPrivate?: Uint8Array;
  targetIdentity?: IdentityData;
}

export interface ReadDataRequest extends ValidateRequest, WithCapabilities {}

export interface ReadDataReply extends WithDiagnostics {
  state?: DynamicValue;
  deferred?: Deferred;
}

export interface GenerateRequest {
  typeName: string;
  state: DynamicValue;
}

export interface GenerateReply extends WithDiagnostics {
  config?: DynamicValue;
}

export interface WireTimestamp {
  seconds: number;
  nanos: number;
}

export interface OpenRequest extends ValidateRequest, WithCapabilities {}

export interface OpenReply extends WithDiagnostics {
  renewAt?: WireTimestamp;
  result?: DynamicValue;
  private?: Uint8Array;
  deferred?: Deferred;
}

export interface RenewRequest {
  typeName: string;
  private?: Uint8Array;
}

export interface RenewReply extends WithDiagnostics {
  renewAt?: WireTimestamp;
  private?: Uint8Array;
}

export interface ListRequest {
  typeName: string;
  config: DynamicValue;
  includeResourceObject: boolean;
  limit: number;
}

export interface ListEvent {
  identity?: IdentityData;
  displayName?: string;
  resourceObject?: DynamicValue;
  diagnostic?: WireDiagnostic[];
}

export interface CallRequest {
  name: string;
  arguments: DynamicValue[];
}

export interface CallReply {
  result?: DynamicValue;
  error?: { text: string; functionArgument?: number };
}

export interface ActionRequest extends WithCapabilities {
  actionType: string;
  config: DynamicValue;
}

export interface PlanActionReply extends WithDiagnostics {
  deferred?: Deferred;
}

export type ActionEvent = { progress: { message: string } } | { completed: WithDiagnostics };
