/** Spec and status of kinds that have fields of their own instead. */
export const noSpec = {
  spec: { type: 'object', additionalProperties: false, properties: {} },
  status: { type: 'object', additionalProperties: false, properties: {} },
} as const;
