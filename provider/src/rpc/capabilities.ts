import type { ServerCapabilities } from '../wire/messages.ts';

/** The schema is the same for everyone, so Terraform may keep it; what keeps an object from being destroyed is told at plan. */
export const capabilities: ServerCapabilities = {
  planDestroy: true,
  getProviderSchemaOptional: true,
  moveResourceState: true,
  generateResourceConfig: true,
};
