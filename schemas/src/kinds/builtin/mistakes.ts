/** Violations in the words of Kubernetes' own validation (apimachinery, field.Error), by which clients tell them apart. */
import type { FieldError } from '../../meta/error.ts';

/** Something must be there that is not. */
export function required(field: string, detail = ''): FieldError {
  return {
    field,
    message: detail === '' ? 'Required value' : `Required value: ${detail}`,
    reason: 'FieldValueRequired',
  };
}

/** `value` must be no secret. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return { field, message: `Invalid value: ${JSON.stringify(value)}: ${detail}` };
}

export function unsupported(field: string, value: unknown, known: readonly string[]): FieldError {
  const words = known.map((word) => JSON.stringify(word)).join(', ');
  return {
    field,
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${words}`,
    reason: 'FieldValueNotSupported',
  };
}

export function forbidden(field: string, detail: string): FieldError {
  return { field, message: `Forbidden: ${detail}`, reason: 'FieldValueForbidden' };
}

export function tooLong(field: string, most: number): FieldError {
  return { field, message: `Too long: may not be more than ${most} bytes`, reason: 'FieldValueTooLong' };
}
