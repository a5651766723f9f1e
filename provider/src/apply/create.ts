/** Creating: the object is declared, then waited for. What did not become Ready is deleted again, and confirmed gone. */

import type { Client } from '@plumb/client/client.ts';
import type { Deadline } from '@plumb/client/deadline.ts';
import { deleteObject, type Reference, title } from '@plumb/client/objects.ts';
import { untilAway, untilReady } from '@plumb/client/ready.ts';
import { PlumbError, type PlumbObject } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, errorDiagnostics, failure } from '../diagnostic.ts';
import type { Stack } from '../stack.ts';
import { draftOf, referenceOf, stateOf, timeoutOf } from '../value/object.ts';
import { settle } from '../value/plan.ts';
import { privateOf } from '../value/private.ts';
import type { ObjectValue } from '../value/value.ts';
import type { Creates } from './creates.ts';
import { goesOn, unready } from './interrupted.ts';
import { createWhenFree } from './name-taken.ts';
import { noProject } from './no-project.ts';
import type { Outcome } from './outcome.ts';

export async function create(
  client: Client,
  kind: TerraformKind,
  planned: ObjectValue,
  stack: Stack,
  creates: Creates,
): Promise<Outcome> {
  const ref = referenceOf(kind, planned);
  const limit = client.deadline(timeoutOf(planned, 'create'));
  try {
    let created: PlumbObject;
    try {
      const isOurs = (uid: string) => creates.has(uid);
      const draft = draftOf(kind, planned);
      created = await createWhenFree({ client, kind, ref, draft, stack, isOurs, limit });
    } catch (error) {
      return { state: null, diagnostics: refused(error, kind, ref) };
    }
    const { uid } = created.metadata;
    creates.begin(client, ref, created, stack);
    const outcome = await made(client, kind, planned, stack, created, limit);
    if (outcome.state !== null && (await creates.handOver(uid))) return outcome;
    creates.drop(uid);
    if (outcome.state === null) return outcome;
    // Nobody hears of it, and nobody ever would.
    await markForDeletion(client, ref, uid);
    return { ...outcome, state: null };
  } finally {
    limit.end();
  }
}

/** What comes of what was created. */
async function made(
  client: Client,
  kind: TerraformKind,
  planned: ObjectValue,
  stack: Stack,
  created: PlumbObject,
  limit: Deadline,
): Promise<Outcome> {
  const ref = referenceOf(kind, planned);
  try {
    const ready = await untilReady(client, ref, created, limit);
    const state = settle(planned, stateOf(kind, ready, planned, stack.manager)) as ObjectValue;
    return { state, diagnostics: [], kept: privateOf(ready, stack.manager) };
  } catch (error) {
    return await takeBack(client, kind, planned, stack, created, PlumbError.from(error, title(ref)));
  }
}

/** Nothing was created. */
function refused(thrown: unknown, kind: TerraformKind, ref: Reference): Diagnostic[] {
  const error = PlumbError.from(thrown, title(ref));
  if (error.reason !== 'AlreadyExists') {
    // The only thing that a create refers to by its path is the project.
    if (error.reason === 'NotFound' && ref.namespace) return [noProject(ref.namespace)];
    return errorDiagnostics(error, `${title(ref)} cannot be created`, kind);
  }
  const id = ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
  const block = `import {\n  to = ${kind.typeName}.NAME\n  id = ${JSON.stringify(id)}\n}`;
  return [
    failure(
      `${title(ref)} already exists`,
      `To manage it from here, import it, where NAME is the name of the resource block:\n\n${block}\n\nor: terraform import ${kind.typeName}.NAME ${id}\n\nWhere another resource block of this configuration is to have it, or this one with create_before_destroy, give the new one another name.`,
      [{ attribute: 'name' }],
    ),
  ];
}

/** The object is there, but not as it should be: it is removed, or kept in the state where that is not certain. */
async function takeBack(
  client: Client,
  kind: TerraformKind,
  planned: ObjectValue,
  { manager }: Stack,
  created: PlumbObject,
  error: PlumbError,
): Promise<Outcome> {
  const ref = referenceOf(kind, planned);
  const failed = errorDiagnostics(error, `${title(ref)} is not Ready`, kind);
  if (error.reason === 'Deleted') return { state: null, diagnostics: failed };
  if (error.reason === 'Interrupted' || error.reason === 'Vanished')
    return { state: unready(kind, planned, created, manager), diagnostics: [goesOn(ref, error)], kept: { manager } };
  const state = stateOf(kind, created, planned, manager);
  const limit = client.deadline(timeoutOf(planned, 'delete'));
  try {
    await markForDeletion(client, ref, created.metadata.uid);
    await untilAway(client, ref, created.metadata.uid, limit);
    return { state: null, diagnostics: failed };
  } catch (thrown) {
    const cause = PlumbError.from(thrown, title(ref));
    if (cause.reason === 'Interrupted') {
      const going = `${title(ref)} is being deleted again: the next apply waits until it is gone, and creates it anew.`;
      return { state: null, diagnostics: [...failed, { severity: 'warning', summary: cause.message, detail: going }] };
    }
    const still = failure(
      `${title(ref)} could not be deleted again: ${cause.reason}`,
      `${cause.message} It is kept in the state as tainted; the next apply replaces it.`,
    );
    return { state, diagnostics: [...failed, still], kept: { manager } };
  } finally {
    limit.end();
  }
}

/** How long the server is asked to delete what failed, even when everything is to stop, in milliseconds. */
const MARK_MS = 30_000;

async function markForDeletion(client: Client, ref: Reference, uid: string): Promise<void> {
  const limit = client.deadlineDespiteStop(MARK_MS);
  try {
    await deleteObject(client, ref, uid, limit);
  } finally {
    limit.end();
  }
}
