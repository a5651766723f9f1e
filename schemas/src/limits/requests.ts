import type { LimitDefinitions } from './define.ts';

/** The bounds on requests to the API, and on the objects in them. */
export const requestLimitDefinitions = {
  selectorBytes: {
    description: 'Length of a label selector or a field selector.',
    above: 'The request is refused with 400.',
    default: 4096,
    minimum: 256,
    maximum: 65_536,
  },
} as const satisfies LimitDefinitions;
