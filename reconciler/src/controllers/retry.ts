/** A person who changes it asks for another try of what failed for good with the same declaration. */
export const RETRY_ANNOTATION = 'plumb.dev/retry';
