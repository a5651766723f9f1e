import type { ServerCapabilities } from '../wire/messages.ts';

/** The schema is the same for everyone, so Terraform may keep it; destroying needs no plan of ours. */
export const capabilities: ServerCapabilities = {
  planDestroy: false,
  getProviderSchemaOptional: true,
  moveResourceState: true,
  generateResourceConfig: true,
};
