/** Updating: the object is declared anew, then waited for. After a failure the state is what the server has. */

import type { Client } from '@plumb/client/client.ts';
import type { Deadline } from '@plumb/client/deadline.ts';
import { declareObject, type Reference, readObject, title, writeOwners } from '@plumb/client/objects.ts';
import { untilReady } from '@plumb/client/ready.ts';
import { PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, errorDiagnostics } from '../diagnostic.ts';
import { BEFORE_STACKS, type Stack } from '../stack.ts';
import { claimedBy, declarerOf, differs, draftOf, referenceOf, stateOf, timeoutOf, uidOf } from '../value/object.ts';
import { settle } from '../value/plan.ts';
import { type Private, privateOf } from '../value/private.ts';
import { isObject, isWhollyKnown, type ObjectValue, type Value } from '../value/value.ts';
import { goesOn, unready, withReady } from './interrupted.ts';
import type { Outcome } from './outcome.ts';

/** How long the state is asked for after a failed update, in milliseconds. */
const REREAD_MS = 10_000;

export async function update(
  client: Client,
  kind: TerraformKind,
  prior: ObjectValue,
  planned: ObjectValue,
  stack: Stack,
  kept: Private,
): Promise<Outcome> {
  // Only what Terraform itself keeps differs, such as timeouts; nothing is on its way.
  if (!differs(kind, prior, planned) && isWhollyKnown(planned))
    return { state: settle(planned, prior) as ObjectValue, diagnostics: [], kept };
  const ref = referenceOf(kind, planned);
  const limit = client.deadline(timeoutOf(planned, 'update'));
  let changed: PlumbObject | undefined;
  try {
    const uid = uidOf(prior) ?? '';
    await claim(client, kind, ref, prior, stack, kept, limit);
    changed = await declareObject(client, ref, uid, draftOf(kind, planned), stack, limit);
    if (!changed) throw terminal('Gone', `${title(ref)} was deleted by someone else: plan again.`);
    const ready = await untilReady(client, ref, changed, limit);
    const state = settle(planned, stateOf(kind, ready, planned, stack.manager)) as ObjectValue;
    return { state, diagnostics: [], kept: privateOf(ready, stack.manager) };
  } catch (thrown) {
    const error = PlumbError.from(thrown, title(ref));
    // The server has it and goes on; the state says that it was not seen to be ready.
    if (changed && error.reason === 'Interrupted') {
      const state = unready(kind, planned, changed, stack.manager);
      return { state, diagnostics: [goesOn(ref, error)], kept: { unready: true, manager: stack.manager } };
    }
    const diagnostics = errorDiagnostics(error, `${title(ref)} is not as planned`, kind);
    return await reread(client, kind, { prior, planned, stack, kept }, diagnostics);
  } finally {
    limit.end();
  }
}

/** How often somebody else may be faster than a claim. */
const ATTEMPTS = 5;

/**
 * What a provider declared that did not apply yet becomes what Terraform owns, before the new declaration: else what is declared no
 * more would stay.
 */
async function claim(
  client: Client,
  kind: TerraformKind,
  ref: Reference,
  prior: ObjectValue,
  { manager }: Stack,
  kept: Private,
  limit: Deadline,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const live = await readObject(client, ref, limit);
    if (!live || live.metadata.uid !== uidOf(prior)) return;
    const now = new Date(client.ambient.clock.now());
    const entries = claimedBy(kind, live, draftOf(kind, prior), now, manager, [kept.manager, BEFORE_STACKS]);
    if (!entries || (await writeOwners(client, ref, live, entries, manager, limit))) return;
  }
}

async function reread(
  client: Client,
  kind: TerraformKind,
  { prior, planned, stack, kept }: { prior: ObjectValue; planned: ObjectValue; stack: Stack; kept: Private },
  diagnostics: Diagnostic[],
): Promise<Outcome> {
  const ref = referenceOf(kind, planned);
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
    const manager = declarerOf(live!, [stack.manager, kept.manager, BEFORE_STACKS]);
    return { state: stateOf(kind, live!, held, manager), diagnostics, kept: privateOf(live!, manager) };
  } catch (thrown) {
    const error = PlumbError.from(thrown, title(ref));
    const warning: Diagnostic = {
      severity: 'warning',
      summary: `${title(ref)} could not be read again: ${error.reason}`,
      detail: `${error.message} The state is as before the update; the next plan reads it.`,
    };
    // Perhaps the server has taken the change: without a refresh, too, the next plan must not be empty.
    return { state: withReady(kind, prior, false), diagnostics: [...diagnostics, warning], kept };
  } finally {
    limit.end();
  }
}

function union(a: Value | undefined, b: Value | undefined): Value {
  return isObject(a) && isObject(b) ? { ...a, ...b } : (a ?? b ?? null);
}
