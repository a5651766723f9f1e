/** Bounds on metadata that JSON Schema cannot say: how large labels and annotations are in all. */
import type { ServerLimits } from '../limits/server.ts';
import type { FieldError } from '../meta/error.ts';

/** What of the metadata is too large. What is of another type is a mistake of its own. */
export function metadataErrors(
  metadata: { labels?: unknown; annotations?: unknown },
  { annotationBytes, labelBytes }: Pick<ServerLimits, 'annotationBytes' | 'labelBytes'>,
): FieldError[] {
  const errors: FieldError[] = [];
  const bound = (field: 'labels' | 'annotations', most: number) => {
    if (isLarger(metadata[field], most))
      errors.push({ field: `metadata.${field}`, message: `Too long: may not be more than ${most} bytes` });
  };
  bound('labels', labelBytes);
  bound('annotations', annotationBytes);
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
