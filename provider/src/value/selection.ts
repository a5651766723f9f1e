/** Which objects a plural data source or a list means. Pure. */
import { collectionOf } from '@plumb/client/objects.ts';
import type { Selected } from '@plumb/client/pages.ts';
import { PlumbError } from '@plumb/schemas';
import { DEFAULT_PROJECT, type TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { fieldRequirements } from '@plumb/schemas/selectors/fields.ts';
import { labelSelector } from '@plumb/schemas/selectors/labels.ts';
import { type Diagnostic, failure } from '../diagnostic.ts';
import { nameDiagnostics } from './names.ts';
import type { ObjectValue, Value } from './value.ts';

/** What is to be asked for. The values are wholly known, and were checked. */
export function selectedBy({ kind }: TerraformKind, wanted: ObjectValue): Selected {
  const namespace = typeof wanted.project === 'string' ? wanted.project : DEFAULT_PROJECT;
  const all = kind.scope === 'Cluster' || wanted.all_projects === true;
  return {
    path: collectionOf({ kind, ...(all ? {} : { namespace }) }),
    ...(wanted.selector ? { labelSelector: wanted.selector as string } : {}),
    ...(wanted.field_selector ? { fieldSelector: wanted.field_selector as string } : {}),
  };
}

/** What is wrong with it, as far as it is known. */
export function checkSelection(wanted: ObjectValue): Diagnostic[] {
  const both = wanted.all_projects === true && typeof wanted.project === 'string';
  return [
    ...nameDiagnostics(wanted, ['project']),
    ...readable('selector', wanted.selector, labelSelector),
    ...readable('field_selector', wanted.field_selector, fieldRequirements),
    ...(both
      ? [
          failure('Invalid all_projects', 'all_projects and project say different things: leave out one of them.', [
            { attribute: 'all_projects' },
          ]),
        ]
      : []),
  ];
}

function readable(attribute: string, value: Value | undefined, read: (text: string) => unknown): Diagnostic[] {
  if (typeof value !== 'string') return [];
  try {
    read(value);
    return [];
  } catch (error) {
    const { message } = PlumbError.from(error, attribute);
    return [failure(`Invalid ${attribute}`, `${attribute} cannot be read: ${message}.`, [{ attribute }])];
  }
}
