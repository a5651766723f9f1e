/** Every RPC of tfplugin6.Provider that this provider answers, under its name in the protocol. */
import { invokeAction, planAction, validateActionConfig } from './action.ts';
import { applyResourceChange } from './apply-resource-change.ts';
import { callFunction } from './call-function.ts';
import { configureProvider } from './configure-provider.ts';
import {
  closeEphemeralResource,
  openEphemeralResource,
  renewEphemeralResource,
  validateEphemeralResourceConfig,
} from './ephemeral.ts';
import { generateResourceConfig } from './generate-resource-config.ts';
import { getFunctions } from './get-functions.ts';
import { getMetadata } from './get-metadata.ts';
import { getProviderSchema } from './get-provider-schema.ts';
import { getResourceIdentitySchemas } from './get-resource-identity-schemas.ts';
import { importResourceState } from './import-resource-state.ts';
import { listResource } from './list-resource.ts';
import { moveResourceState } from './move-resource-state.ts';
import { planResourceChange } from './plan-resource-change.ts';
import { readDataSource } from './read-data-source.ts';
import { readResource } from './read-resource.ts';
import type { Rpc, StreamRpc } from './rpc.ts';
import { stopProvider } from './stop-provider.ts';
import { upgradeResourceIdentity } from './upgrade-resource-identity.ts';
import { upgradeResourceState } from './upgrade-resource-state.ts';
import { validateDataResourceConfig } from './validate-data-resource-config.ts';
import { validateListResourceConfig } from './validate-list-resource-config.ts';
import { validateProviderConfig } from './validate-provider-config.ts';
import { validateResourceConfig } from './validate-resource-config.ts';

// Each RPC has its own request; the service definition of the same name is what decodes it.
export const rpcs: Readonly<Record<string, Rpc<never, object>>> = {
  GetMetadata: getMetadata,
  GetProviderSchema: getProviderSchema,
  ValidateProviderConfig: validateProviderConfig,
  ConfigureProvider: configureProvider,
  ValidateResourceConfig: validateResourceConfig,
  ValidateDataResourceConfig: validateDataResourceConfig,
  UpgradeResourceState: upgradeResourceState,
  GetResourceIdentitySchemas: getResourceIdentitySchemas,
  UpgradeResourceIdentity: upgradeResourceIdentity,
  ReadResource: readResource,
  PlanResourceChange: planResourceChange,
  ApplyResourceChange: applyResourceChange,
  ImportResourceState: importResourceState,
  MoveResourceState: moveResourceState,
  ReadDataSource: readDataSource,
  GenerateResourceConfig: generateResourceConfig,
  ValidateListResourceConfig: validateListResourceConfig,
  ValidateEphemeralResourceConfig: validateEphemeralResourceConfig,
  OpenEphemeralResource: openEphemeralResource,
  RenewEphemeralResource: renewEphemeralResource,
  CloseEphemeralResource: closeEphemeralResource,
  ValidateActionConfig: validateActionConfig,
  PlanAction: planAction,
  GetFunctions: getFunctions,
  CallFunction: callFunction,
  StopProvider: stopProvider,
};

/** Those that answer with a stream. */
export const streams: Readonly<Record<string, StreamRpc<never, object>>> = {
  ListResource: listResource,
  InvokeAction: invokeAction,
};
