/** Updating: what changed is patched, then waited for. After a failure the state is what the server has. */

import type { Client } from '@plumb/client/client.ts';
import { patchObject, type Reference, readObject, title } from '@plumb/client/objects.ts';
import { untilReady } from '@plumb/client/ready.ts';
import { PlumbError, terminal } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, errorDiagnostics } from '../diagnostic.ts';
import { patchOf, referenceOf, stateOf, timeoutOf, uidOf } from '../value/object.ts';
import { settle } from '../value/plan.ts';
import { isObject, type ObjectValue, type Value } from '../value/value.ts';
import type { Outcome } from './outcome.ts';

/** How long the state is asked for after a failed update, in milliseconds. */
const REREAD_MS = 10_000;

export async function update(
  client: Client,
  kind: TerraformKind,
  prior: ObjectValue,
  planned: ObjectValue,
): Promise<Outcome> {
  const patch = patchOf(kind, prior, planned);
  // Only what Terraform itself keeps differs, such as timeouts.
  if (!patch) return { state: settle(planned, prior) as ObjectValue, diagnostics: [] };
  const ref = referenceOf(kind, planned);
  const limit = client.deadline(timeoutOf(planned, 'update'));
  try {
    const changed = await patchObject(client, ref, uidOf(prior) ?? '', patch, limit);
    if (!changed) throw terminal('Gone', `${title(ref)} was deleted by someone else: plan again.`);
    const ready = await untilReady(client, ref, changed, limit);
    return { state: settle(planned, stateOf(kind, ready, planned)) as ObjectValue, diagnostics: [] };
  } catch (error) {
    const diagnostics = errorDiagnostics(error, `${title(ref)} is not as planned`, kind);
    return await reread(client, kind, ref, prior, planned, diagnostics);
  } finally {
    limit.end();
  }
}

async function reread(
  client: Client,
  kind: TerraformKind,
  ref: Reference,
  prior: ObjectValue,
  planned: ObjectValue,
  diagnostics: Diagnostic[],
): Promise<Outcome> {
  const limit = client.deadlineDespiteStop(REREAD_MS);
  try {
    const live = await readObject(client, ref, limit);
    if (live?.metadata.uid !== uidOf(prior)) return { state: null, diagnostics };
    // Keys that the change takes away and keys that it adds may both be there.
    const held: ObjectValue = {
      ...planned,
      labels: union(prior.labels, planned.labels),
      annotations: union(prior.annotations, planned.annotations),
    };
    return { state: stateOf(kind, live!, held), diagnostics };
  } catch (thrown) {
    const error = PlumbError.from(thrown, title(ref));
    const warning: Diagnostic = {
      severity: 'warning',
      summary: `${title(ref)} could not be read again: ${error.reason}`,
      detail: `${error.message} The state is as before the update; the next plan reads it.`,
    };
    return { state: prior, diagnostics: [...diagnostics, warning] };
  } finally {
    limit.end();
  }
}

function union(a: Value | undefined, b: Value | undefined): Value {
  return isObject(a) && isObject(b) ? { ...a, ...b } : (a ?? b ?? null);
}
