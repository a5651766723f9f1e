/** What a plan says of fields that somebody else owns, too: those that it takes, and those that stay when they are declared no more. */
import type { PlumbObject } from '@plumb/schemas';
import { contestedFields, type OwnedField, stayingFields } from '@plumb/schemas/apply/explain.ts';
import { trackApply } from '@plumb/schemas/apply/track.ts';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Stack } from './stack.ts';
import { draftOf, placeOf } from './value/object.ts';
import { attributePath, showPath } from './value/path.ts';
import { isWhollyKnown, type ObjectValue } from './value/value.ts';

/** Whether somebody else than the manager has written fields of the object, beside its status. */
export function hasOtherOwners({ metadata }: PlumbObject, manager: string): boolean {
  return (metadata.managedFields ?? []).some((entry) => entry.manager !== manager && !entry.subresource);
}

/**
 * Of an update of `live` to what is planned. Nothing, where something of the plan is not known yet: the server judges what is applied then.
 */
export function ownershipDiagnostics(
  kind: TerraformKind,
  live: PlumbObject,
  planned: ObjectValue,
  { manager, force }: Stack,
): Diagnostic[] {
  const { status: _, ...wanted } = planned;
  if (!isWhollyKnown(wanted)) return [];
  const declared = { apiVersion: apiVersionOf(kind.kind), kind: kind.kind.kind, ...draftOf(kind, planned) };
  const object = live as unknown as Record<string, unknown>;
  const writer = { manager, now: live.metadata.creationTimestamp };
  const tried = trackApply(placeOf(kind), object, declared, writer, false);
  const contested = 'conflicts' in tried ? contestedFields(tried.conflicts) : [];
  const forced = 'conflicts' in tried ? trackApply(placeOf(kind), object, declared, writer, true) : tried;
  const staying = 'conflicts' in forced ? [] : stayingFields(live.metadata.managedFields, forced.entries, manager);
  return [
    ...contested.map((field) => taken(kind, field, force)),
    ...staying.map((field) => {
      const { path, where } = placed(kind, field);
      const detail = `The configuration declares it no more, and ${owners(field)} still does: the object keeps it, and Terraform lets go of it.`;
      return diagnostic('warning', `${where} stays: owned by ${owners(field)}`, detail, path);
    }),
  ];
}

function taken(kind: TerraformKind, field: OwnedField, force: boolean): Diagnostic {
  const { path, where } = placed(kind, field);
  const other = owners(field);
  if (force) {
    const detail = `${other} has declared another value, and Terraform takes the field from there. Whoever applies last has it: declare it in one place.`;
    return diagnostic('warning', `${where} is taken from ${other}`, detail, path);
  }
  const detail = `${other} has declared another value, and force_conflicts is false in the provider block. Leave it out here, have it declared no more there, or allow force_conflicts.`;
  return diagnostic('error', `${where} is owned by ${other}`, detail, path);
}

function owners({ managers }: OwnedField): string {
  return managers.join(' and ');
}

/** The attribute that stands for the field, and how a person reads it. */
function placed(kind: TerraformKind, { field }: OwnedField): { path: Diagnostic['path']; where: string } {
  // Items of lists have keys there, which no path of Terraform can say.
  const key = field.indexOf('=');
  const { steps } = attributePath(key < 0 ? field : field.slice(0, field.lastIndexOf('[', key)), kind);
  return steps.length > 0 ? { path: steps, where: showPath(steps) } : { path: undefined, where: field };
}

function diagnostic(
  severity: Diagnostic['severity'],
  summary: string,
  detail: string,
  path: Diagnostic['path'],
): Diagnostic {
  return { severity, summary, detail, ...(path ? { path } : {}) };
}
