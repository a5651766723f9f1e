/** What a person is told when something is wrong, and where in the configuration it is. */
import { type FieldError, PlumbError } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { attributePath, type Step, showPath } from './value/path.ts';

export interface Diagnostic {
  severity: 'error' | 'warning';
  /** One line. */
  summary: string;
  /** Sentences: what, where, why, what to do. */
  detail: string;
  /** The attribute that it is about; none: the whole resource. */
  path?: Step[];
}

export function failure(summary: string, detail: string, path?: Step[]): Diagnostic {
  return { severity: 'error', summary, detail, ...(path?.length ? { path } : {}) };
}

/** A violated rule of a field, on the attribute that stands for the field. */
export function fieldDiagnostic(error: FieldError, kind: TerraformKind): Diagnostic {
  const { steps, rest } = attributePath(error.field, kind);
  const where = steps.length > 0 ? showPath(steps) : error.field;
  const deeper = steps.length > 0 && rest !== '' ? ` (at ${rest})` : '';
  const end = /[.?!]$/.test(error.message) ? '' : '.';
  return failure(`Invalid ${where}`, `${where}${deeper} ${error.message}${end}`, steps);
}

/** An error as diagnostics: one for each field that it names, else one for the whole. */
export function errorDiagnostics(thrown: unknown, summary: string, kind?: TerraformKind): Diagnostic[] {
  const error = PlumbError.from(thrown, summary);
  if (kind && error.fields.length > 0) return error.fields.map((field) => fieldDiagnostic(field, kind));
  if (error.reason === 'Unreachable') return [failure('The server is out of reach', `${summary}: ${error.message}`)];
  return [failure(`${summary}: ${error.reason}`, error.message)];
}
