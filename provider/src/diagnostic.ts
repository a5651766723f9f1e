/** What a person is told when something is wrong, and where in the configuration it is. */
import { type FieldError, PlumbError } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { attributePath, type Step, showPath } from './value/path.ts';
import { inHcl } from './value/words.ts';

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
  const [about, ...others] = error.fields;
  // An object that cannot be as declared says one sentence, and which field it is about.
  const isOne = about !== undefined && others.length === 0 && about.message === error.message;
  if (kind && about && !isOne)
    return error.fields.map(({ field, message }) => fieldDiagnostic({ field, message: inHcl(message, kind) }, kind));
  if (error.reason === 'Unreachable') return [failure('The server is out of reach', `${summary}: ${error.message}`)];
  if (!kind) return [failure(`${summary}: ${error.reason}`, error.message)];
  const steps = about ? attributePath(about.field, kind).steps : [];
  const own =
    about && error.message.startsWith(`${about.field}: `) ? error.message.slice(about.field.length + 2) : error.message;
  return [failure(`${summary}: ${error.reason}`, inHcl(own, kind), steps)];
}
