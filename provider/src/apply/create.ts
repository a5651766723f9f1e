/** Creating: the object is declared, then waited for. What did not become Ready is deleted again, and confirmed gone. */

import type { Client } from '@plumb/client/client.ts';
import { createObject, type Reference, title } from '@plumb/client/objects.ts';
import { untilGone, untilReady } from '@plumb/client/ready.ts';
import { PlumbError, type PlumbObject } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, errorDiagnostics, failure } from '../diagnostic.ts';
import { draftOf, MANAGER, referenceOf, stateOf, timeoutOf } from '../value/object.ts';
import { settle } from '../value/plan.ts';
import type { ObjectValue } from '../value/value.ts';
import type { Outcome } from './outcome.ts';

export async function create(client: Client, kind: TerraformKind, planned: ObjectValue): Promise<Outcome> {
  const ref = referenceOf(kind, planned);
  const limit = client.deadline(timeoutOf(planned, 'create'));
  try {
    let created: PlumbObject;
    try {
      created = await createObject(client, ref, draftOf(kind, planned), MANAGER, limit);
    } catch (error) {
      return { state: null, diagnostics: refused(error, kind, ref) };
    }
    try {
      const ready = await untilReady(client, ref, created, limit);
      return { state: settle(planned, stateOf(kind, ready, planned)) as ObjectValue, diagnostics: [] };
    } catch (error) {
      return await takeBack(client, kind, planned, created, PlumbError.from(error, title(ref)));
    }
  } finally {
    limit.end();
  }
}

/** Nothing was created. */
function refused(thrown: unknown, kind: TerraformKind, ref: Reference): Diagnostic[] {
  const error = PlumbError.from(thrown, title(ref));
  if (error.reason !== 'AlreadyExists') {
    const diagnostics = errorDiagnostics(error, `${title(ref)} cannot be created`, kind);
    // The only thing that a create refers to by its path is the project.
    const path = error.reason === 'NotFound' && ref.namespace ? [{ attribute: 'project' }] : undefined;
    return path ? diagnostics.map((diagnostic) => ({ ...diagnostic, path })) : diagnostics;
  }
  const id = ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
  return [
    failure(
      `${title(ref)} already exists`,
      `It was not made by this configuration. To manage it from here, import it: terraform import ${kind.typeName}.NAME ${id} (NAME is the name of the resource block). Or give it another name.`,
      [{ attribute: 'name' }],
    ),
  ];
}

/** The object is there, but not as it should be: it is removed, or kept in the state where that is not certain. */
async function takeBack(
  client: Client,
  kind: TerraformKind,
  planned: ObjectValue,
  created: PlumbObject,
  error: PlumbError,
): Promise<Outcome> {
  const ref = referenceOf(kind, planned);
  const failed = errorDiagnostics(error, `${title(ref)} is not Ready`, kind);
  if (error.reason === 'Deleted') return { state: null, diagnostics: failed };
  const kept = stateOf(kind, created, planned);
  if (error.reason === 'Interrupted') return { state: kept, diagnostics: failed };
  const limit = client.deadline(timeoutOf(planned, 'delete'));
  try {
    await untilGone(client, ref, created.metadata.uid, limit);
    return { state: null, diagnostics: failed };
  } catch (thrown) {
    const cause = PlumbError.from(thrown, title(ref));
    const still = failure(
      `${title(ref)} could not be deleted again: ${cause.reason}`,
      `${cause.message} It is kept in the state as tainted; the next apply replaces it.`,
    );
    return { state: kept, diagnostics: [...failed, still] };
  } finally {
    limit.end();
  }
}
