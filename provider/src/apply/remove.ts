/** Deleting: by uid, and it ends when the object is gone. */

import type { Client } from '@plumb/client/client.ts';
import { readObject, title } from '@plumb/client/objects.ts';
import { untilGone } from '@plumb/client/ready.ts';
import { PlumbError } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, errorDiagnostics } from '../diagnostic.ts';
import type { Stack } from '../stack.ts';
import { declarerOf, referenceOf, stateOf, timeoutOf, uidOf } from '../value/object.ts';
import { type Private, privateOf } from '../value/private.ts';
import type { ObjectValue } from '../value/value.ts';
import type { Outcome } from './outcome.ts';

export async function remove(
  client: Client,
  kind: TerraformKind,
  prior: ObjectValue,
  { manager }: Stack,
  kept: Private,
): Promise<Outcome> {
  const ref = referenceOf(kind, prior);
  const uid = uidOf(prior);
  // A state without a uid speaks of no object that Terraform has ever seen.
  if (uid === undefined) return { state: null, diagnostics: [] };
  const limit = client.deadline(timeoutOf(prior, 'delete'));
  try {
    await client.contact();
    await untilGone(client, ref, uid, limit);
    return { state: null, diagnostics: [] };
  } catch (error) {
    return await leftOver(client, kind, prior, [manager, kept.manager], notDeleted(error, kind, title(ref)));
  } finally {
    limit.end();
  }
}

function notDeleted(thrown: unknown, kind: TerraformKind, named: string): Diagnostic[] {
  const error = PlumbError.from(thrown, named);
  const diagnostics = errorDiagnostics(error, `${named} is not deleted`, kind);
  if (error.reason !== 'InUse') return diagnostics;
  const together = `Where it is replaced and keeps its name, have those replaced with it, by lifecycle { replace_triggered_by = [${kind.typeName}.NAME.status.uid] } in their resource blocks; or give the new one another name, with lifecycle { create_before_destroy = true } in this one.`;
  return diagnostics.map((diagnostic) => ({ ...diagnostic, detail: `${diagnostic.detail}. ${together}` }));
}

/** How long it is asked for after a failed deletion, in milliseconds. */
const REREAD_MS = 10_000;

/** What there is after a deletion that was not seen to end: perhaps it has, perhaps it is under way, which nothing can undo. */
async function leftOver(
  client: Client,
  kind: TerraformKind,
  prior: ObjectValue,
  managers: readonly (string | undefined)[],
  diagnostics: Diagnostic[],
): Promise<Outcome> {
  const limit = client.deadlineDespiteStop(REREAD_MS);
  try {
    const live = await readObject(client, referenceOf(kind, prior), limit);
    if (live?.metadata.uid !== uidOf(prior)) return { state: null, diagnostics: [] };
    const manager = declarerOf(live!, managers);
    return { state: stateOf(kind, live!, prior, manager), diagnostics, kept: privateOf(live!, manager) };
  } catch {
    // The next plan reads it.
    return { state: prior, diagnostics };
  } finally {
    limit.end();
  }
}
