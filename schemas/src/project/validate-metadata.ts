/**
 * Rules on metadata that the schema of what people write cannot say: how large labels and annotations are in all, and the types of
 * what the server sets, which comes back from clients, and in files as null.
 */
import type { ServerLimits } from '../limits/server.ts';
import type { FieldError } from '../meta/error.ts';

type Is = [check: (value: unknown) => boolean, noun: string];
const text: Is = [(value) => typeof value === 'string', 'a string'];
const whole: Is = [Number.isSafeInteger, 'an integer'];
const objects: Is = [
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null),
  'an array of objects',
];

/** What the server sets, or other programs keep. */
const SET_BY_SERVER: Record<string, Is> = {
  ...{ uid: text, resourceVersion: text, creationTimestamp: text, deletionTimestamp: text, selfLink: text },
  ...{ generation: whole, deletionGracePeriodSeconds: whole, managedFields: objects },
};

/** What of the metadata is too large. What is of another type is a mistake of its own. */
export function metadataErrors(
  metadata: { labels?: unknown; annotations?: unknown; ownerReferences?: unknown },
  { annotationBytes, labelBytes }: Pick<ServerLimits, 'annotationBytes' | 'labelBytes'>,
): FieldError[] {
  const errors: FieldError[] = [];
  const bound = (field: 'labels' | 'annotations', most: number) => {
    if (isLarger(metadata[field], most))
      errors.push({ field: `metadata.${field}`, message: `Too long: may not be more than ${most} bytes` });
  };
  bound('labels', labelBytes);
  bound('annotations', annotationBytes);
  for (const [field, [check, noun]] of Object.entries(SET_BY_SERVER)) {
    const value = (metadata as Record<string, unknown>)[field];
    if (value !== undefined && value !== null && !check(value))
      errors.push({ field: `metadata.${field}`, message: `must be ${noun}` });
  }
  const owners = (metadata.ownerReferences ?? []) as { controller?: boolean }[];
  if (owners.filter(({ controller }) => controller === true).length > 1)
    errors.push({ field: 'metadata.ownerReferences', message: 'Only one reference can have Controller set to true' });
  return errors;
}

/** Keys and values together, as Kubernetes counts them. */
function isLarger(fields: unknown, most: number): boolean {
  if (typeof fields !== 'object' || fields === null) return false;
  let bytes = 0;
  for (const [key, value] of Object.entries(fields)) {
    // A character is a byte or more.
    if (bytes + key.length + (typeof value === 'string' ? value.length : 0) > most) return true;
    bytes += Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 0);
  }
  return bytes > most;
}
