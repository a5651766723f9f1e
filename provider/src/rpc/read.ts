import type { Deferred } from '../wire/messages.ts';

/** How long a server that is out of reach is asked for an object, in milliseconds. No attribute of HCL says it. */
export const READ_MS = 60_000;

/** Why an answer is put off: the provider block is not known yet. */
export const PROVIDER_UNKNOWN: Deferred = { reason: 2 };
