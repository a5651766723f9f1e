/** An object that stands inside another one, or in a question: judged as a write of its own would be, as far as it stands alone. */
import type { KindDefinition } from '../kinds/define.ts';
import type { ServerLimits } from '../limits/server.ts';
import type { FieldError } from '../meta/error.ts';
import { validateObject } from './validate.ts';
import { metadataErrors } from './validate-metadata.ts';
import { dropUnknownFields } from './validate-unknown.ts';

export interface InnerRules {
  limits: ServerLimits;
  /** What becomes of fields that the kind does not know: with `Strict` they are mistakes, else they are taken away. */
  level: 'Strict' | 'Warn' | 'Ignore';
  /** What is stored, of a change. */
  before?: object | undefined;
}

export interface Judged {
  errors: FieldError[];
  /** What was taken away. */
  dropped: FieldError[];
}

/** Judges `object`, which has its defaults; unknown fields may be taken away from it, in place. */
export function judgeInner(kind: KindDefinition, object: object, { limits, level, before }: InnerRules): Judged {
  const dropped = level === 'Strict' ? [] : dropUnknownFields(kind, object);
  const errors = validateObject(kind, object, { strictUnknown: true, before });
  if (errors.length > 0) return { errors, dropped };
  const { metadata } = object as { metadata: { labels?: unknown; annotations?: unknown } };
  errors.push(...metadataErrors(metadata, limits));
  const bytes = Buffer.byteLength(JSON.stringify(object));
  if (bytes > limits.objectBytes)
    errors.push({
      field: 'spec',
      message: `is too large: the object would have ${bytes} bytes, and at most ${limits.objectBytes} are stored`,
    });
  return { errors, dropped };
}
